// Reads a key store file with the published client's own database class; prints what it found as JSON.
//   node key_store.mjs FILE
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const require = createRequire(import.meta.url)
const { KeyUsage } = require('@smartdcc/dccboxed-keystore')
const { KeyStoreDB } = require('@smartdcc/dccboxed-keystore/dist/db.js')
const [file] = process.argv.slice(2)

const store = await KeyStoreDB.new(file)
const found = []
for (const [eui, usages] of Object.entries(JSON.parse(readFileSync(file, 'utf-8')))) {
  for (const [usage, serials] of Object.entries(usages)) {
    for (const serial of Object.keys(serials)) {
      const certificate = await store.query({ serial: BigInt(serial), lookup: 'certificate' })
      const privateKey = await store.query({ serial: BigInt(serial), lookup: 'privateKey' })
      const byEui = await store.query({ eui, keyUsage: KeyUsage[usage], lookup: 'certificate' })
      found.push({
        eui: certificate.eui.toString(),
        usage: certificate.keyUsage,
        serial: certificate.certificate.serialNumber,
        role: certificate.role ?? null,
        name: certificate.name ?? null,
        keyFits: privateKey === null ? null : certificate.certificate.checkPrivateKey(privateKey.privateKey),
        alsoByEui: byEui.some((each) => each.serial === BigInt(serial)),
      })
    }
  }
}
console.log(JSON.stringify(found))
