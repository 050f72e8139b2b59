// KafkaJS through the scenarios of ../content.go. It reads only within groups.
'use strict'

const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const readline = require('node:readline')
const { Transactions } = require('./txns.js')
const { Groups, readAll, until, wantEqual } = require('./groups.js')

const PARTITIONS = 3, CONTENT = 300, MANY = 3000, HUGE = 8 << 20, LARGE = 1000000, TOO_LARGE = 1100000
const [addr, prefix] = process.argv.slice(2)
const base = Date.now() - 3600000
const kafka = new Kafka({ clientId: 'interop', brokers: [addr], logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 2000 } })
const admin = kafka.admin()
const lines = readline.createInterface({ input: process.stdin })

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

async function scenario (name, work) {
  try {
    await work()
    console.log('PASS ' + name)
  } catch (e) {
    console.error(e)
    console.log(`FAIL ${name} ${e.name}: ${e.message}`.replace(/\s+/g, ' '))
  }
}

async function createTopic (name, numPartitions, configEntries = []) {
  const topic = `${prefix}-${name}`
  wantEqual('created', await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }] }), true)
  return topic
}

async function withProducer (options, work) {
  const p = kafka.producer(options)
  await p.connect()
  try {
    return await work(p)
  } finally {
    await p.disconnect()
  }
}

async function highs (topic) {
  const rows = await admin.fetchTopicOffsets(topic)
  return rows.sort((a, b) => a.partition - b.partition).map(r => Number(r.high))
}

async function create () {
  const topic = await createTopic('create', PARTITIONS)
  const seen = await admin.fetchTopicMetadata({ topics: [topic] })
  wantEqual('partitions', seen.topics[0].partitions.length, PARTITIONS)
  wantEqual('created again', await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }), false)
}

function content (i) {
  return {
    partition: i % PARTITIONS,
    key: i % 10 === 0 ? null : `k${i}`,
    value: i % 10 === 5 ? null : `value ${i} `.repeat(20),
    headers: { n: String(i), empty: '' },
    timestamp: String(base + i * 1000),
  }
}

async function codec (name, compression) {
  const topic = await createTopic(name, PARTITIONS)
  const messages = Array.from({ length: CONTENT }, (_, i) => content(i))
  const answers = await withProducer({}, p => p.send({ topic, compression, messages }))
  wantEqual('base offsets', answers.map(a => a.baseOffset), ['0', '0', '0'])
  for (const { partition, message: m } of await readAll(join, topic, CONTENT)) {
    const want = content(Number(m.offset) * PARTITIONS + partition)
    const text = b => b === null ? null : b.toString()
    const headers = Object.fromEntries(Object.entries(m.headers).map(([k, v]) => [k, text(v)]))
    wantEqual(`offset ${m.offset}`, { partition, key: text(m.key), value: text(m.value), headers, timestamp: m.timestamp }, want)
  }
}

async function time () {
  const topic = `${prefix}-none`
  wantEqual('ends', await highs(topic), [100, 100, 100])
  const at = await admin.fetchTopicOffsetsByTimestamp(topic, base + 100000)
  at.sort((a, b) => a.partition - b.partition)
  wantEqual('offsets at base+100 s', at.map(r => r.offset), ['34', '33', '33'])
}

async function idempotent () {
  const topic = await createTopic('idempotent', 1)
  await withProducer({ idempotent: true }, async p => {
    for (let i = 0; i < MANY; i += 100) {
      const messages = Array.from({ length: 100 }, (_, k) => ({ value: String(i + k) }))
      const [answer] = await p.send({ topic, acks: -1, messages })
      wantEqual('base offset', answer.baseOffset, String(i))
    }
  })
  const numbers = (await readAll(join, topic, MANY)).map(r => Number(r.message.value))
  wantEqual('numbers', numbers, Array.from({ length: MANY }, (_, i) => i))
}

async function roundTrip (topic, size, retry) {
  const value = Buffer.alloc(size)
  for (let i = 0; i < size; i += 997) value[i] = i % 251
  await withProducer({ retry }, p => p.send({ topic, messages: [{ value }] }))
  const [one] = await readAll(join, topic, 1)
  wantEqual('the bytes came back unchanged', one.message.value.equals(value), true)
}

async function large () {
  const topic = await createTopic('large', 1)
  await roundTrip(topic, LARGE)
  let refused = ''
  try {
    await roundTrip(topic, TOO_LARGE, { retries: 0 })
  } catch (e) {
    refused = e.type || (e.cause && e.cause.type) || e.message
  }
  wantEqual('the error', refused, 'MESSAGE_TOO_LARGE')
}

async function huge () {
  await roundTrip(await createTopic('huge', 1, [{ name: 'max.message.bytes', value: '10485760' }]), HUGE)
}

// restartBroker asks for a restart; back is set when the broker serves again.
function restartBroker () {
  const asked = { back: false }
  console.log('RESTART')
  lines.once('line', () => { asked.back = true })
  return asked
}

// restart counts on idempotence: a send whose answer the restart took is sent
// again by the library, and must not be stored twice.
async function restart () {
  const topic = await createTopic('restart', 1)
  const seen = new Map() // a member that joins again reads again what it had not committed
  const member = await join(topic, topic, (_, m) => seen.set(Number(m.offset), Number(m.value)))
  await withProducer({ idempotent: true }, async p => {
    let sent = 0
    const send = async () => p.send({ topic, acks: -1, messages: [{ value: String(sent++) }] })
    for (let i = 0; i < 100; i++) await send()
    const asked = restartBroker()
    while (!asked.back) await send()
    for (let i = 0; i < 100; i++) await send()
    wantEqual('end', await highs(topic), [sent])
    await until('the last record', () => seen.size >= sent)
    for (let i = 0; i < sent; i++) wantEqual(`offset ${i}`, seen.get(i), i)
  })
  await member.leave()
}

async function describe (group) {
  const { state, members } = (await admin.describeGroups([group])).groups[0]
  return { state, clients: members.map(m => m.clientId + m.clientHost) }
}

async function main () {
  console.log('VERSION kafkajs ' + require('kafkajs/package.json').version)
  await admin.connect()
  await registerZstd()
  await scenario('create', create)
  await scenario('codec-none', () => codec('none', CompressionTypes.None))
  await scenario('codec-gzip', () => codec('gzip', CompressionTypes.GZIP))
  await scenario('codec-snappy', () => codec('snappy', CompressionTypes.Snappy))
  await scenario('codec-lz4', () => codec('lz4', CompressionTypes.LZ4))
  await scenario('codec-zstd', () => codec('zstd', CompressionTypes.ZSTD))
  await scenario('idempotent', idempotent)
  await scenario('time', time)
  await scenario('large', large)
  await scenario('huge', huge)
  await scenario('restart', restart)
  await new Transactions({ kafka, admin, createTopic, prefix }).run(scenario)
  await new Groups({ admin, createTopic, join, describe, restart: restartBroker, producer: () => kafka.producer({ idempotent: true }) }).run(scenario)
  await admin.disconnect()
}

main().then(() => process.exit(0), e => { console.error(e); process.exit(1) })
