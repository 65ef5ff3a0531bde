// Relies on what a test was given: a key store file, read with the published client's own class, and Node's own crypto.
//   node consumer.mjs FILE EUI MESSAGE SIGNATURE OTHER-EUI    (octets in hexadecimal); prints what it found as JSON
import { createRequire } from 'node:module'
import { createHash, diffieHellman, verify } from 'node:crypto'

const require = createRequire(import.meta.url)
const { KeyUsage } = require('@smartdcc/dccboxed-keystore')
const { KeyStoreDB } = require('@smartdcc/dccboxed-keystore/dist/db.js')
const [file, eui, message, signature, other] = process.argv.slice(2)

const store = await KeyStoreDB.new(file)
const one = async (eui, keyUsage, lookup) => [await store.query({ eui, keyUsage, lookup })].flat()[0]

const signer = await one(eui, KeyUsage.digitalSignature, 'certificate')
// GBCS messages carry r || s, which Node calls by the name of IEEE P1363.
const key = { key: signer.certificate.publicKey, dsaEncoding: 'ieee-p1363' }
const octets = Buffer.from(message, 'hex')
const verified = verify('sha256', octets, key, Buffer.from(signature, 'hex'))
const verifiedOther = verify('sha256', Buffer.concat([octets, Buffer.of(0)]), key, Buffer.from(signature, 'hex'))

const { privateKey } = await one(other, KeyUsage.keyAgreement, 'privateKey')
const agreed = await one(eui, KeyUsage.keyAgreement, 'certificate')
const secret = diffieHellman({ privateKey, publicKey: agreed.certificate.publicKey })
console.log(JSON.stringify({
  role: signer.role,
  serial: signer.certificate.serialNumber,
  verified,
  verifiedOther,
  secret: secret.toString('hex'),
  sha256: createHash('sha256').update(signer.certificate.raw).digest('hex'),
}))
