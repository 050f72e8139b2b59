// KafkaJS through the scenarios of ../content.go that need no group: it reads
// only within one, so what it produced is checked by its offsets.
'use strict'

const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const readline = require('node:readline')

const PARTITIONS = 3, CONTENT = 300, MANY = 3000, LARGE = 1000000, TOO_LARGE = 1100000
const [addr, prefix] = process.argv.slice(2)
const base = Date.now() - 3600000
const kafka = new Kafka({ clientId: 'interop', brokers: [addr], logLevel: logLevel.NOTHING, retry: { retries: 20, maxRetryTime: 2000 } })
const admin = kafka.admin()

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

async function scenario (name, work) {
  try {
    await work()
    console.log('PASS ' + name)
  } catch (e) {
    console.error(e)
    console.log(`FAIL ${name} ${e.name}: ${e.message}`.replace(/\s+/g, ' '))
  }
}

function wantEqual (what, got, want) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)]
  if (g !== w) throw new Error(`${what} is ${g}, want ${w}`)
}

async function createTopic (name, numPartitions) {
  const topic = `${prefix}-${name}`
  wantEqual('created', await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] }), true)
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
  wantEqual('end', await highs(topic), [MANY])
}

async function large () {
  const topic = await createTopic('large', 1)
  await withProducer({}, p => p.send({ topic, messages: [{ value: Buffer.alloc(LARGE, 'x') }] }))
  let refused = ''
  try {
    await withProducer({ retry: { retries: 0 } }, p => p.send({ topic, messages: [{ value: Buffer.alloc(TOO_LARGE, 'x') }] }))
  } catch (e) {
    refused = e.type || (e.cause && e.cause.type) || e.message
  }
  wantEqual('the error', refused, 'MESSAGE_TOO_LARGE')
  wantEqual('end', await highs(topic), [1])
}

// restart counts on idempotence: a send whose answer the restart took is sent
// again by the library, and must not be stored twice.
async function restart () {
  const topic = await createTopic('restart', 1)
  let back = false
  await withProducer({ idempotent: true }, async p => {
    let sent = 0
    const send = async () => p.send({ topic, acks: -1, messages: [{ value: String(sent++) }] })
    for (let i = 0; i < 100; i++) await send()
    console.log('RESTART')
    const lines = readline.createInterface({ input: process.stdin })
    lines.once('line', () => { back = true; lines.close() })
    while (!back) await send()
    for (let i = 0; i < 100; i++) await send()
    wantEqual('end', await highs(topic), [sent])
  })
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
  await scenario('large', large)
  await scenario('restart', restart)
  await admin.disconnect()
}

main().then(() => process.exit(0), e => { console.error(e); process.exit(1) })
