// Makes a key store as the published client's `build:db` does: HEAD, then GET of org-crypto.zip, each certificate with
// its key into the database, then further certificates by serial number. Prints what it said on the way.
//   node build_db.mjs HOST:PORT OUTPUT [SERIAL...]
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const AdmZip = require('adm-zip')
const { X509Certificate, createPrivateKey } = require('node:crypto')
const { KeyStoreDB } = require('@smartdcc/dccboxed-keystore/dist/db.js')
const { query } = require('@smartdcc/dccboxed-keystore/dist/certificateSearch.js')
const [address, output, ...serials] = process.argv.slice(2)
const url = `http://${address}/assets/crypto/org-crypto.zip`
const said = { warnings: [], pairs: [], fetched: [] }

const head = await fetch(url, { method: 'HEAD' })
said.head = {
  status: head.status,
  type: (head.headers.get('content-type') ?? '').split(';')[0],
  length: Number(head.headers.get('content-length')),
}
const body = Buffer.from(await (await fetch(url, { headers: { 'Accept-Encoding': 'identity' } })).arrayBuffer())
said.octets = body.length

const store = new KeyStoreDB(output)
const zip = new AdmZip(body, { readEntries: true })
for (const entry of zip.getEntries()) {
  if (entry.isDirectory || !entry.name.endsWith('.pem') || !/cert/.test(entry.entryName.replace(/[^/]*$/, ''))) continue
  const keyEntry = zip.getEntry(entry.entryName.replace(/\/cert\//, '/key/').replace(/.pem$/, '.key'))
  if (keyEntry === null) {
    said.warnings.push(`no key for ${entry.entryName}`)
    continue
  }
  const certificate = new X509Certificate(entry.getData())
  const meta = await store.push({
    certificate,
    private: createPrivateKey(keyEntry.getData()),
    name: entry.name.replace(/\.pem$/, ''),
  })
  said.pairs.push([meta.eui.toString(), meta.keyUsage[0], meta.role])
}
for (const serial of serials) {
  const result = await query(serial, address)
  if (result) {
    await store.push({ certificate: result.x509 })
    said.fetched.push(result.x509.serialNumber)
  } else {
    said.warnings.push(`no certificate ${serial}`)
  }
}
console.log(JSON.stringify(said))
