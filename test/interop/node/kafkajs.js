// KafkaJS through the scenarios of ../content.go. It reads only within groups.
'use strict'

const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const { Transactions } = require('./txns.js')
const { Groups, apart } = require('./groups.js')
const { Scenarios, brokers, prefix, restartBroker, scenario } = require('./scenarios.js')

const kafka = new Kafka({ clientId: 'interop', brokers, logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 2000 } })
const admin = kafka.admin()
const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD }

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = () => {
  const lz4 = require('lz4-napi')
  return {
    compress: async encoder => lz4.compressFrameSync(encoder.buffer),
    decompress: async buffer => lz4.decompressFrameSync(buffer),
  }
}

async function registerZstd () {
  const simple = await new Promise(resolve => require('zstd-codec').ZstdCodec.run(zstd => resolve(new zstd.Simple())))
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async encoder => Buffer.from(simple.compress(encoder.buffer)),
    decompress: async buffer => Buffer.from(simple.decompress(buffer)),
  })
}

// join makes a member of a group; each message it gets goes to got(partition, message).
async function join (group, topic, got) {
  const consumer = kafka.consumer({ groupId: group, heartbeatInterval: 300, sessionTimeout: 10000, rebalanceTimeout: 10000, maxWaitTimeInMs: 200 })
  const member = { owned: [], joins: 0, ends: new Map() }
  consumer.on(consumer.events.GROUP_JOIN, e => {
    member.owned = e.payload.memberAssignment[topic] || []
    member.joins++
    member.ends.clear() // positions are those of the assignment
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      member.ends.set(partition, Number(message.offset) + 1)
      got(partition, message)
    },
  })
  member.commit = offsets => consumer.commitOffsets((offsets || [...member.ends]).map(([partition, offset]) =>
    ({ topic, partition, offset: String(offset), metadata: 'by hand' })))
  member.leave = () => consumer.disconnect()
  return member
}

function producer ({ idempotent, once }) { return kafka.producer({ idempotent, retry: once ? { retries: 0 } : undefined }) }

async function send (p, codec, topic, messages) {
  const told = []
  for (const some of apart(messages)) told.push(...await p.send({ topic, acks: -1, compression: codecs[codec], messages: some }))
  return told.map(a => a.baseOffset)
}

async function describe (group) {
  const { state, members } = (await admin.describeGroups([group])).groups[0]
  return { state, clients: members.map(m => m.clientId + m.clientHost) }
}

async function main () {
  console.log('VERSION kafkajs ' + require('kafkajs/package.json').version)
  await admin.connect()
  await registerZstd()
  const refusal = e => e.type || (e.cause && e.cause.type) || e.message
  const all = new Scenarios({ admin, join, producer, send, refusal, tooLarge: 'MESSAGE_TOO_LARGE' })
  await all.run()
  const { createTopic } = all
  await new Transactions({ kafka, admin, createTopic, prefix }).run(scenario)
  await new Groups({ admin, createTopic, join, describe, restart: restartBroker, producer: () => producer({ idempotent: true }) }).run(scenario)
  await admin.disconnect()
}

main().then(() => process.exit(0), e => { console.error(e); process.exit(1) })
