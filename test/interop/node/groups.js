// The group scenarios of ../content.go for clients in JavaScript, and what
// their other scenarios read with: they read only within a group.
'use strict'

const PARTS = 6, ROUND = 300, WITHIN_MS = 60000

function wantEqual (what, got, want) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)]
  if (g !== w) throw new Error(`${what} is ${g}, want ${w}`)
}

async function until (what, check) {
  const end = Date.now() + WITHIN_MS
  while (!await check()) {
    if (Date.now() > end) throw new Error(`${what} did not come`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

// readAll reads a topic to its count-th record.
async function readAll (join, topic, count) {
  const seen = []
  const member = await join(topic + '-reader', topic, (partition, message) => seen.push({ partition, message }))
  try {
    await until(`record ${count} of ${topic}`, () => seen.length >= count)
  } finally {
    await member.leave()
  }
  wantEqual('records read', seen.length, count)
  return seen
}

// settle waits until every partition has one owner and every member some.
async function settle (members) {
  await until('the assignment', () => {
    const all = members.flatMap(m => m.owned)
    return members.every(m => m.owned.length > 0) && all.length === PARTS && new Set(all).size === PARTS
  })
}

function once (seen, total) {
  wantEqual('numbers seen', [...seen].sort((a, b) => a - b), Array.from({ length: total }, (_, i) => i))
}

// apart gives the messages of each partition. Each is sent alone: KafkaJS loses, without a word, what it has to send
// again to a node that has answered for another partition of the same send meanwhile.
function apart (messages) {
  const rows = new Map()
  for (const m of messages) rows.set(m.partition, [...(rows.get(m.partition) || []), m])
  return [...rows.values()]
}

class Groups {
  // tools are admin, createTopic(name, partitions), restart() -> {back}, producer(), which is idempotent and not
  // connected, describe(group) -> {state, clients}, and join(group, topic, got, instance) -> member, whose records go
  // to got(partition, message): with owned partitions, joins (a count), commit([[partition, offset]]) and leave().
  constructor (tools) { Object.assign(this, tools) }

  async send (topic, parts, first, last) {
    const all = Array.from({ length: last - first }, (_, i) => ({ partition: (first + i) % parts, value: String(first + i) }))
    await Promise.all(apart(all).map(messages => this.sender.send({ topic, messages })))
  }

  async committed (group, topic) {
    const [found] = await this.admin.fetchOffsets({ groupId: group, topics: [topic] })
    return found.partitions.sort((a, b) => a.partition - b.partition).map(p => Number(p.offset))
  }

  async run (scenario, more = () => []) {
    this.sender = this.producer()
    await this.sender.connect()
    for (const [name, work] of [['group', () => this.group('group')], ['commit', this.commit], ...more(this),
      ['group-restart', this.groupRestart], ['group-admin', this.groupAdmin]]) {
      await scenario(name, () => work.call(this))
    }
    await this.sender.disconnect()
  }

  async group (label) {
    const topic = await this.createTopic(label, PARTS)
    const seen = [], members = []
    for (let total = ROUND; total <= 4 * ROUND; total += ROUND) {
      if (total <= 3 * ROUND) members.push(await this.join(topic, topic, (_, m) => seen.push(Number(m.value))))
      else await members.shift().leave()
      await settle(members) // after one has left, what the others had is not all
      await this.send(topic, PARTS, total - ROUND, total)
      await until(`record ${total}`, () => seen.length >= total)
      once(seen, total)
      for (const m of members) await m.commit()
    }
    for (const m of members) await m.leave()
    once(seen, 4 * ROUND)
    wantEqual('committed', await this.committed(topic, topic), Array(PARTS).fill(4 * ROUND / PARTS))
  }

  async commit () {
    const topic = await this.createTopic('commit', 1)
    await this.send(topic, 1, 0, 100)
    let seen = []
    const got = (_, m) => seen.push(Number(m.offset))
    let member = await this.join(topic, topic, got)
    await until('100 records', () => seen.length === 100)
    await member.commit([[0, 60]])
    await member.leave()
    wantEqual('committed', await this.committed(topic, topic), [60])
    seen = []
    member = await this.join(topic, topic, got)
    await until('40 records', () => seen.length >= 40)
    wantEqual('resumed with', seen, Array.from({ length: 40 }, (_, i) => 60 + i))
    await member.commit()
    await member.leave()
    wantEqual('committed in the end', await this.committed(topic, topic), [100])
  }

  async fixed () {
    const topic = await this.createTopic('static', PARTS)
    const seen = [], got = (_, m) => seen.push(Number(m.value))
    let [a, b] = [await this.join(topic, topic, got, 'a'), await this.join(topic, topic, got, 'b')]
    await settle([a, b])
    const before = [...a.owned].sort(), calm = b.joins
    await a.leave()
    a = await this.join(topic, topic, got, 'a')
    await settle([a, b])
    wantEqual('partitions after the member came back', [...a.owned].sort(), before)
    await this.send(topic, PARTS, 0, ROUND)
    await until('the records', () => seen.length >= ROUND)
    once(seen, ROUND)
    wantEqual('joins of the other', b.joins, calm)
    await a.leave()
    await b.leave()
  }

  async groupRestart () {
    const topic = await this.createTopic('group-restart', PARTS)
    const seen = new Set(), members = []
    for (let i = 0; i < 2; i++) members.push(await this.join(topic, topic, (_, m) => seen.add(Number(m.value))))
    await settle(members)
    await this.send(topic, PARTS, 0, ROUND)
    await until('the records before', () => seen.size >= ROUND)
    for (const m of members) await m.commit()
    const asked = this.restart()
    let total = ROUND
    for (; !asked.back; total += PARTS) await this.send(topic, PARTS, total, total + PARTS)
    await this.send(topic, PARTS, total, total + ROUND)
    total += ROUND
    await until('all records through the restart', () => seen.size >= total)
    await settle(members)
    await until(`the commit of ${total}`, async () => { // a member that joined again reads again, and commits, what it had not committed
      try {
        for (const m of members) await m.commit()
        return (await this.committed(topic, topic)).every(offset => offset === total / PARTS)
      } catch (e) { // refused while the group joins anew; until bounds how often
        return false
      }
    })
    for (const m of members) await m.leave()
    wantEqual('committed', await this.committed(topic, topic), Array(PARTS).fill(total / PARTS))
  }

  async groupAdmin () {
    const topic = await this.createTopic('group-admin', PARTS)
    const seen = [], members = []
    for (let i = 0; i < 2; i++) members.push(await this.join(topic, topic, (_, m) => seen.push(m)))
    await settle(members)
    await this.send(topic, PARTS, 0, ROUND)
    await until('the records', () => seen.length >= ROUND)
    for (const m of members) await m.commit()
    const listed = async () => (await this.admin.listGroups()).groups.some(g => g.groupId === topic)
    const remove = async () => {
      try {
        return (await this.admin.deleteGroups([topic]))[0].errorCode
      } catch (e) {
        return e.groups[0].errorCode
      }
    }
    wantEqual('listed', await listed(), true)
    wantEqual('the group', await this.describe(topic), { state: 'Stable', clients: ['interop/127.0.0.1', 'interop/127.0.0.1'] })
    wantEqual('error of deleting a live group', await remove(), 68)
    for (const m of members) await m.leave()
    await until('the empty group', async () => {
      const { state, clients } = await this.describe(topic)
      return state === 'Empty' && clients.length === 0
    })
    wantEqual('error of deleting an empty group', await remove(), 0)
    wantEqual('listed after it was deleted', await listed(), false)
  }
}

module.exports = { Groups, apart, readAll, until, wantEqual }
