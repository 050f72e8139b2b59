// @confluentinc/kafka-javascript (librdkafka below KafkaJS's interface) through
// the scenarios of ../content.go.
'use strict'

const library = require('@confluentinc/kafka-javascript')
const { Groups } = require('./groups.js')
const { Scenarios, brokers, restartBroker, scenario } = require('./scenarios.js')

const { Kafka, CompressionTypes, PartitionAssigners, ConsumerGroupStates, logLevel } = library.KafkaJS
const WITHIN = 60000
const kafka = new Kafka({ kafkaJS: { clientId: 'interop', brokers, logLevel: logLevel.NOTHING } })
const admin = kafka.admin()
const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.SNAPPY, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD }

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

// producer's retries change no order where it is idempotent.
function producer ({ codec, ordered, idempotent, lasting }) {
  return kafka.producer({
    kafkaJS: {
      allowAutoTopicCreation: false,
      ...(codec ? { compression: codecs[codec] } : {}),
      ...(ordered || idempotent ? { idempotent: true } : {}),
      ...(lasting ? { retry: { retries: 1000 } } : {}),
    },
    'message.max.bytes': 20000000,
    'linger.ms': 0,
  })
}

async function send (p, codec, topic, messages) {
  await p.send({ topic, messages })
  return [] // what it tells of offsets is not compared
}

async function describe (group) {
  const { state, members } = (await admin.describeGroups([group])).groups[0]
  const names = { [ConsumerGroupStates.STABLE]: 'Stable', [ConsumerGroupStates.EMPTY]: 'Empty' }
  return { state: names[state] || state, clients: members.map(m => `${m.clientId}/${m.clientHost.replace(/^\//, '')}`) }
}

async function main () {
  console.log(`VERSION confluent-kafka-javascript ${require('@confluentinc/kafka-javascript/package.json').version} (librdkafka ${library.librdkafkaVersion})`)
  await admin.connect()
  const all = new Scenarios({ admin, join, producer, send, refusal: e => e.code, tooLarge: library.CODES.ERRORS.ERR_MSG_SIZE_TOO_LARGE })
  await all.run()
  const lasting = () => producer({ idempotent: true, lasting: true })
  const groups = new Groups({ admin, createTopic: all.createTopic, join, describe, restart: restartBroker, producer: lasting })
  await groups.run(scenario, g => [['group-eager', async () => {
    join.assigner = PartitionAssigners.range
    await g.group('group-eager')
  }], ['static', g.fixed]])
  await admin.disconnect()
}

main().then(() => process.exit(0), e => { console.error(e); process.exit(1) })
