// Searches through the published client, unmodified, for as long as the Repository has something wrong with it.
//   node faults.mjs HOST:PORT EUI FAULT...      each FAULT the JSON that is posted to /faults
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { search } = require('@smartdcc/dccboxed-keystore/dist/certificateSearch.js')
const [address, eui, ...faults] = process.argv.slice(2)

const outcome = async () => {
  try {
    const found = await search({ CertificateUsage: 'DS', CertificateStatus: 'I', q: { CertificateSubjectAltName: eui } }, address)
    return found.length
  } catch (error) {
    return error.message
  }
}
const outcomes = []
for (const fault of faults) {
  const headers = { 'Content-Type': 'application/json' }
  const set = await fetch(`http://${address}/faults`, { method: 'POST', headers, body: fault })
  if (set.status !== 201) throw new Error(await set.text())
  outcomes.push(await outcome())
  await fetch(`http://${address}${set.headers.get('location')}`, { method: 'DELETE' })
}
outcomes.push(await outcome())
console.log(JSON.stringify(outcomes))
