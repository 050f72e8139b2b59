// @confluentinc/kafka-javascript (librdkafka below KafkaJS's interface) through
// the scenarios of ../content.go.
'use strict'

const library = require('@confluentinc/kafka-javascript')
const readline = require('node:readline')
const { Groups, readAll, until, wantEqual } = require('./groups.js')

const { Kafka, CompressionTypes, PartitionAssigners, ConsumerGroupStates, logLevel } = library.KafkaJS
const PARTITIONS = 3, CONTENT = 300, MANY = 3000, HUGE = 8 << 20, LARGE = 1000000, TOO_LARGE = 1100000, WITHIN = 60000
const [addr, prefix] = process.argv.slice(2)
const base = Date.now() - 3600000
const kafka = new Kafka({ kafkaJS: { clientId: 'interop', brokers: [addr], logLevel: logLevel.NOTHING } })
const admin = kafka.admin()
const lines = readline.createInterface({ input: process.stdin })

// join makes a member of a group; each message it gets goes to got(partition, message).
async function join (group, topic, got, instance) {
  const member = { joins: 0, ends: new Map() }
  const consumer = kafka.consumer({
    kafkaJS: { groupId: group, fromBeginning: true, autoCommit: false, partitionAssigners: [join.assigner] },
    'heartbeat.interval.ms': 300,
    'session.timeout.ms': 10000,
    'fetch.wait.max.ms': 200,
    ...(instance ? { 'group.instance.id': instance } : {}),
    rebalance_cb: err => {
      if (err.code === library.CODES.ERRORS.ERR__ASSIGN_PARTITIONS) member.joins++
      member.ends.clear() // positions are those of the assignment
    },
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic] })
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      member.ends.set(partition, Number(message.offset) + 1)
      got(partition, message)
    },
  })
  Object.defineProperty(member, 'owned', { get: () => consumer.assignment().map(p => p.partition), set: () => {} })
  member.commit = async offsets => {
    const all = (offsets || [...member.ends]).map(([partition, offset]) => ({ topic, partition, offset: String(offset) }))
    if (all.length === 0) return
    await consumer.commitOffsets(all) // which does not wait for the broker's answer
    for (const end = Date.now() + WITHIN; ;) {
      const found = await consumer.committed(all.map(({ topic, partition }) => ({ topic, partition })), WITHIN)
      if (found.every(f => all.some(a => a.partition === f.partition && Number(a.offset) === Number(f.offset)))) return
      if (Date.now() > end) throw new Error('a commit did not arrive')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  member.leave = () => consumer.disconnect()
  return member
}

join.assigner = PartitionAssigners.cooperativeSticky

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
  const p = kafka.producer({ kafkaJS: { allowAutoTopicCreation: false, ...options }, 'message.max.bytes': 20000000, 'linger.ms': 0 })
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
  wantEqual('partitions', (seen.topics || seen)[0].partitions.length, PARTITIONS)
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

// codec's producer is idempotent: without that a retry may change the order.
async function codec (name, compression) {
  const topic = await createTopic(name, PARTITIONS)
  const messages = Array.from({ length: CONTENT }, (_, i) => content(i))
  await withProducer({ compression, idempotent: true }, p => p.send({ topic, messages }))
  for (const { partition, message: m } of await readAll(join, topic, CONTENT)) {
    const want = content(Number(m.offset) * PARTITIONS + partition)
    const text = b => b === null || b === undefined ? null : b.toString()
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
    for (let i = 0; i < MANY; i += 100) await p.send({ topic, messages: Array.from({ length: 100 }, (_, k) => ({ value: String(i + k) })) })
  })
  const numbers = (await readAll(join, topic, MANY)).map(r => Number(r.message.value))
  wantEqual('numbers', numbers, Array.from({ length: MANY }, (_, i) => i))
}

async function roundTrip (topic, size) {
  const value = Buffer.alloc(size)
  for (let i = 0; i < size; i += 997) value[i] = i % 251
  await withProducer({}, p => p.send({ topic, messages: [{ value }] }))
  const [one] = await readAll(join, topic, 1)
  wantEqual('the bytes came back unchanged', one.message.value.equals(value), true)
}

async function large () {
  const topic = await createTopic('large', 1)
  await roundTrip(topic, LARGE)
  let refused = ''
  try {
    await roundTrip(topic, TOO_LARGE)
  } catch (e) {
    refused = e.code
  }
  wantEqual('the error', refused, library.CODES.ERRORS.ERR_MSG_SIZE_TOO_LARGE)
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

const lasting = { idempotent: true, retry: { retries: 1000 } }

async function restart () {
  const topic = await createTopic('restart', 1)
  const seen = new Map() // a member that joins again reads again what it had not committed
  const member = await join(topic, topic, (_, m) => seen.set(Number(m.offset), Number(m.value)))
  await withProducer(lasting, async p => {
    let sent = 0
    const send = async () => p.send({ topic, messages: [{ value: String(sent++) }] })
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
  const names = { [ConsumerGroupStates.STABLE]: 'Stable', [ConsumerGroupStates.EMPTY]: 'Empty' }
  return { state: names[state] || state, clients: members.map(m => `${m.clientId}/${m.clientHost.replace(/^\//, '')}`) }
}

async function main () {
  console.log(`VERSION confluent-kafka-javascript ${require('@confluentinc/kafka-javascript/package.json').version} (librdkafka ${library.librdkafkaVersion})`)
  await admin.connect()
  await scenario('create', create)
  await scenario('codec-none', () => codec('none', CompressionTypes.None))
  await scenario('codec-gzip', () => codec('gzip', CompressionTypes.GZIP))
  await scenario('codec-snappy', () => codec('snappy', CompressionTypes.SNAPPY))
  await scenario('codec-lz4', () => codec('lz4', CompressionTypes.LZ4))
  await scenario('codec-zstd', () => codec('zstd', CompressionTypes.ZSTD))
  await scenario('idempotent', idempotent)
  await scenario('time', time)
  await scenario('large', large)
  await scenario('huge', huge)
  await scenario('restart', restart)
  const producer = () => kafka.producer({ kafkaJS: lasting, 'linger.ms': 0 })
  const groups = new Groups({ admin, createTopic, join, describe, restart: restartBroker, producer })
  await groups.run(scenario, g => [['group-eager', async () => {
    join.assigner = PartitionAssigners.range
    await g.group('group-eager')
  }], ['static', g.fixed]])
  await admin.disconnect()
}

main().then(() => process.exit(0), e => { console.error(e); process.exit(1) })
