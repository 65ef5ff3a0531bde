// Asks the Repository through the published client, unmodified; prints what it got as JSON.
//   node client.mjs HOST:PORT EUI DS-SERIAL KA-SERIAL
import { createRequire } from 'node:module'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const { BoxedKeyStore, KeyUsage } = require('@smartdcc/dccboxed-keystore')
const certificateSearch = require('@smartdcc/dccboxed-keystore/dist/certificateSearch.js')
const [address, eui, ...serials] = process.argv.slice(2)

// An empty backing file, so that every answer comes from the Repository.
const directory = mkdtempSync(join(tmpdir(), 'smki-interop-'))
const empty = join(directory, 'empty.json')
writeFileSync(empty, '{}')
let files = 0
const fresh = () => BoxedKeyStore.new(address, join(directory, `cache${files++}.json`), empty)

const seen = (results) => results && results.map((result) => ({
  eui: result.eui.toString(),
  serial: result.serial.toString(16).toUpperCase(),
  keyUsage: result.keyUsage,
  role: result.role ?? null,
  pem: result.certificate.toString(),
}))
const failure = async (promise) => {
  try {
    await promise
    return null
  } catch (error) {
    return error.message
  }
}
const list = (result) => (result === null || Array.isArray(result) ? result : [result])

const answers = {}
answers.ds = seen(list(await (await fresh()).query({ lookup: 'certificate', eui, keyUsage: KeyUsage.digitalSignature })))
answers.ka = seen(list(await (await fresh()).query({ lookup: 'certificate', eui, keyUsage: KeyUsage.keyAgreement })))
answers.bySerial = []
for (const serial of serials) {
  answers.bySerial.push(seen(list(await (await fresh()).query({ lookup: 'certificate', serial: BigInt(`0x${serial}`) }))))
}
const store = await fresh()
answers.unknownEui = await store.query({ lookup: 'certificate', eui: '00-00-00-00-00-00-00-01', keyUsage: KeyUsage.digitalSignature })
answers.unknownSerial = await store.query({ lookup: 'certificate', serial: 0x1234n })
answers.malformedSerial = await failure(store.query({ lookup: 'certificate', serial: -1n }))
answers.malformedEui = await failure(certificateSearch.search(
  { CertificateUsage: 'DS', CertificateStatus: 'I', q: { CertificateSubjectAltName: '90B3D51F3001000' } }, address))
const organisations = await certificateSearch.search(
  { CertificateUsage: 'KA', CertificateStatus: 'I', CertificateRole: '4', q: { CertificateSubjectName: '90-B3-D5-1F-30-00-00-02' } }, address)
answers.organisation = seen(organisations.map(({ meta, x509 }) => ({ ...meta, certificate: x509 })))
console.log(JSON.stringify(answers))
