// The scenarios of ../content.go that clients in JavaScript have in common: what
// differs between two libraries comes in as tools.
'use strict'

const readline = require('node:readline')
const { readAll, until, wantEqual } = require('./groups.js')

const PARTITIONS = 3, CONTENT = 300, MANY = 3000, HUGE = 8 << 20, LARGE = 1000000, TOO_LARGE = 1100000
const [addrs, prefix] = process.argv.slice(2)
const brokers = addrs.split(',')
const base = Date.now() - 3600000
const lines = readline.createInterface({ input: process.stdin })
const numbers = (count, first = 0) => Array.from({ length: count }, (_, i) => first + i)

async function scenario (name, work) {
  try {
    await work()
    console.log('PASS ' + name)
  } catch (e) {
    console.error(e)
    console.log(`FAIL ${name} ${e.name}: ${e.message}`.replace(/\s+/g, ' '))
  }
}

// restartBroker asks for a restart; back is set when the broker serves again.
function restartBroker () {
  const asked = { back: false }
  console.log('RESTART')
  lines.once('line', () => { asked.back = true })
  return asked
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

class Scenarios {
  // tools are admin; join(group, topic, got) as Groups takes it; producer(how), not connected, where how may say codec,
  // ordered (a retry changes no order), idempotent, lasting (it outlives a restart) and once (nothing is tried again);
  // send(producer, codec, topic, messages) -> base offsets, as far as the library tells them; refusal(error) -> what it
  // says, and tooLarge, what it says of a record that is.
  constructor (tools) { Object.assign(this, tools) }

  createTopic = async (name, numPartitions, configEntries = []) => {
    const topic = `${prefix}-${name}`
    wantEqual('created', await this.admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: Number(process.env.INTEROP_REPLICAS || 1), configEntries }] }), true)
    return topic
  }

  async with (how, work) {
    const p = this.producer(how)
    await p.connect()
    try {
      return await work(p)
    } finally {
      await p.disconnect()
    }
  }

  async highs (topic) {
    const rows = await this.admin.fetchTopicOffsets(topic)
    return rows.sort((a, b) => a.partition - b.partition).map(r => Number(r.high))
  }

  async create () {
    const topic = await this.createTopic('create', PARTITIONS)
    const seen = await this.admin.fetchTopicMetadata({ topics: [topic] })
    wantEqual('partitions', (seen.topics || seen)[0].partitions.length, PARTITIONS)
    wantEqual('created again', await this.admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }), false)
  }

  async codec (codec) {
    const topic = await this.createTopic(codec, PARTITIONS)
    const told = await this.with({ codec, ordered: true }, p => this.send(p, codec, topic, numbers(CONTENT).map(content)))
    wantEqual('base offsets', told, told.map(() => '0'))
    for (const { partition, message: m } of await readAll(this.join, topic, CONTENT)) {
      const want = content(Number(m.offset) * PARTITIONS + partition)
      const text = b => b === null || b === undefined ? null : b.toString()
      const headers = Object.fromEntries(Object.entries(m.headers).map(([k, v]) => [k, text(v)]))
      wantEqual(`offset ${m.offset}`, { partition, key: text(m.key), value: text(m.value), headers, timestamp: m.timestamp }, want)
    }
  }

  async time () {
    const topic = `${prefix}-none`
    wantEqual('ends', await this.highs(topic), [100, 100, 100])
    const at = await this.admin.fetchTopicOffsetsByTimestamp(topic, base + 100000)
    at.sort((a, b) => a.partition - b.partition)
    wantEqual('offsets at base+100 s', at.map(r => r.offset), ['34', '33', '33'])
  }

  async idempotent () {
    const topic = await this.createTopic('idempotent', 1)
    await this.with({ idempotent: true }, async p => {
      for (let i = 0; i < MANY; i += 100) {
        const told = await this.send(p, 'none', topic, numbers(100, i).map(n => ({ value: String(n) })))
        wantEqual('base offset', told, told.map(() => String(i)))
      }
    })
    wantEqual('numbers', (await readAll(this.join, topic, MANY)).map(r => Number(r.message.value)), numbers(MANY))
  }

  async roundTrip (topic, size, how = {}) {
    const value = Buffer.alloc(size)
    for (let i = 0; i < size; i += 997) value[i] = i % 251
    await this.with(how, p => this.send(p, 'none', topic, [{ value }]))
    const [one] = await readAll(this.join, topic, 1)
    wantEqual('the bytes came back unchanged', one.message.value.equals(value), true)
  }

  async large () {
    const topic = await this.createTopic('large', 1)
    await this.roundTrip(topic, LARGE)
    let refused = ''
    try {
      await this.roundTrip(topic, TOO_LARGE, { once: true })
    } catch (e) {
      refused = this.refusal(e)
    }
    wantEqual('the error', refused, this.tooLarge)
  }

  async huge () {
    await this.roundTrip(await this.createTopic('huge', 1, [{ name: 'max.message.bytes', value: '10485760' }]), HUGE)
  }

  // restart counts on idempotence: a send whose answer the restart took is sent
  // again by the library, and must not be stored twice.
  async restart () {
    const topic = await this.createTopic('restart', 1)
    const seen = new Map() // a member that joins again reads again what it had not committed
    const member = await this.join(topic, topic, (_, m) => seen.set(Number(m.offset), Number(m.value)))
    await this.with({ idempotent: true, lasting: true }, async p => {
      let sent = 0
      const send = () => this.send(p, 'none', topic, [{ value: String(sent++) }])
      for (let i = 0; i < 100; i++) await send()
      const asked = restartBroker()
      while (!asked.back) await send()
      for (let i = 0; i < 100; i++) await send()
      wantEqual('end', await this.highs(topic), [sent])
      await until('the last record', () => seen.size >= sent)
      for (let i = 0; i < sent; i++) wantEqual(`offset ${i}`, seen.get(i), i)
    })
    await member.leave()
  }

  async run () {
    await scenario('create', () => this.create())
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) await scenario('codec-' + codec, () => this.codec(codec))
    for (const name of ['idempotent', 'time', 'large', 'huge', 'restart']) await scenario(name, () => this[name]())
  }
}

module.exports = { Scenarios, brokers, prefix, restartBroker, scenario }
