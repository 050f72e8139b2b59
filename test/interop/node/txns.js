// The transaction scenarios of ../content.go for KafkaJS, which reads only
// within a group.
'use strict'

const { apart, until, wantEqual } = require('./groups.js')

const ROUND = 30, PARTS = 3

class Transactions {
  constructor ({ kafka, admin, createTopic, prefix }) {
    Object.assign(this, { kafka, admin, createTopic, prefix })
  }

  async run (scenario) {
    await scenario('txn', () => this.txn())
    await scenario('txn-offsets', () => this.offsets())
    await scenario('txn-fenced', () => this.fenced())
  }

  async producer (id) {
    const p = this.kafka.producer({ transactionalId: `${this.prefix}-${id}`, maxInFlightRequests: 1, idempotent: true })
    await p.connect()
    return p
  }

  // round sends ROUND numbers, from first on, in a transaction that it leaves open.
  async round (p, topic, first) {
    const txn = await p.transaction()
    const messages = Array.from({ length: ROUND }, (_, i) => ({ value: String(first + i), partition: (first + i) % PARTS }))
    for (const some of apart(messages)) await txn.send({ topic, acks: -1, messages: some })
    return txn
  }

  // consume reads a topic in a group; got has each message.
  async consume (group, topic, options, got) {
    const c = this.kafka.consumer({ groupId: group, heartbeatInterval: 300, sessionTimeout: 10000, rebalanceTimeout: 10000, maxWaitTimeInMs: 200, ...options })
    await c.connect()
    await c.subscribe({ topics: [topic], fromBeginning: true })
    await c.run({ autoCommit: false, ...got })
    return c
  }

  // numbers reads a topic at an isolation level: it has the rounds that begin with firsts, in order, and nothing else.
  async numbers (topic, committed, ...firsts) {
    const want = Array.from({ length: PARTS }, () => [])
    for (const first of firsts) for (let i = first; i < first + ROUND; i++) want[i % PARTS].push(i)
    const seen = Array.from({ length: PARTS }, () => new Map())
    const c = await this.consume(`${topic}-reader-${committed}`, topic, { readUncommitted: !committed }, {
      eachMessage: async ({ partition, message }) => { seen[partition].set(Number(message.offset), Number(message.value)) },
    })
    const count = () => seen.reduce((n, m) => n + m.size, 0)
    try {
      await until(`number ${ROUND * firsts.length} of ${topic}`, () => count() >= ROUND * firsts.length)
    } finally {
      await c.disconnect()
    }
    for (let p = 0; p < PARTS; p++) {
      const inOrder = [...seen[p]].sort((a, b) => a[0] - b[0]).map(([, number]) => number)
      wantEqual(`partition ${p} (read committed: ${committed})`, inOrder, want[p])
    }
  }

  async txn () {
    const topic = await this.createTopic('txn', PARTS)
    const p = await this.producer('txn')
    for (let i = 0; i < 3; i++) {
      const txn = await this.round(p, topic, i * ROUND)
      await (i === 1 ? txn.abort() : txn.commit())
    }
    await p.disconnect()
    await this.numbers(topic, true, 0, 2 * ROUND)
    await this.numbers(topic, false, 0, ROUND, 2 * ROUND)
  }

  // offsets consumes, transforms and produces; the second try is aborted.
  async offsets () {
    const source = await this.createTopic('txn-in', PARTS)
    const target = await this.createTopic('txn-out', PARTS)
    const fill = await this.producer('txn-fill')
    for (let i = 0; i < 2; i++) await (await this.round(fill, source, i * ROUND)).commit()
    await fill.disconnect()
    const p = await this.producer('txn-offsets')
    let done = 0, attempt = 0
    const c = await this.consume(source, source, { maxBytesPerPartition: 2000 }, {
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        const messages = batch.messages.slice(0, 10)
        if (messages.length === 0) return
        const txn = await p.transaction()
        await txn.send({ topic: target, acks: -1, messages: messages.map(m => ({ value: m.value, partition: batch.partition })) })
        const next = String(Number(messages.at(-1).offset) + 1)
        await txn.sendOffsets({ consumerGroupId: source, topics: [{ topic: source, partitions: [{ partition: batch.partition, offset: next }] }] })
        if (++attempt === 2) {
          await txn.abort()
          c.seek({ topic: source, partition: batch.partition, offset: messages[0].offset })
          return
        }
        await txn.commit()
        done += messages.length
        resolveOffset(messages.at(-1).offset)
      },
    })
    try {
      await until('all numbers', () => done >= 2 * ROUND)
    } finally {
      await c.disconnect()
      await p.disconnect()
    }
    await this.numbers(target, true, 0, ROUND)
    const [found] = await this.admin.fetchOffsets({ groupId: source, topics: [source] })
    for (const { partition, offset } of found.partitions) {
      const extra = Number(offset) - 2 * ROUND / PARTS
      if (extra < 0 || extra > 2) throw new Error(`partition ${partition} is committed ${extra} off its end`)
    }
  }

  async fenced () {
    const topic = await this.createTopic('txn-fenced', PARTS)
    const first = await this.producer('txn-fenced')
    const late = await this.round(first, topic, 0)
    const second = await this.producer('txn-fenced')
    const good = await this.round(second, topic, ROUND)
    let why
    try {
      await late.commit()
    } catch (e) {
      why = e.type || e.message
    }
    if (!['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'].includes(why)) throw new Error(`the first producer's commit gives ${why}`)
    await good.commit()
    await first.disconnect()
    await second.disconnect()
    await this.numbers(topic, true, ROUND)
  }
}

module.exports = { Transactions }
