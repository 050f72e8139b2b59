// CloudEvents' SDK for JavaScript through the scenarios of ../content.go that begin with ce.
'use strict'

const { CloudEvent, HTTP, Kafka } = require('cloudevents')
const { Kafka: Client, logLevel } = require('kafkajs')
const { version } = require('cloudevents/package.json')

const [addrs, prefix] = process.argv.slice(2)
const base = 'http://' + process.env.INTEROP_HTTP
const client = new Client({ brokers: addrs.split(','), logLevel: logLevel.NOTHING })

async function scenario (name, work) {
  try {
    await work()
    console.log('PASS ' + name)
  } catch (e) {
    console.error(e)
    console.log(`FAIL ${name} ${e.name}: ${e.message}`.replace(/\s+/g, ' '))
  }
}

// What is sent: JSON and text as data, and none. The SDK does not decode what the HTTP binding encodes in headers, so
// attributes are plain; and bytes as data do not come back as they were in all of its modes.
const events = () => [
  new CloudEvent({ id: '0', source: '/interop', type: 'order.placed', subject: 'order-7', time: '2026-11-26T16:00:00.250Z', datacontenttype: 'application/json', dataschema: 'https://example.com/s', tenant: 'a', partitionkey: 'k', data: { total: 120.5, name: 'Grüße' } }),
  new CloudEvent({ id: '1', source: '/interop', type: 'order.placed', time: '2026-11-26T16:00:00.000Z', datacontenttype: 'text/plain', data: 'Grüße, "you"' }),
  new CloudEvent({ id: '3', source: '/interop', type: 'order.placed', time: '2026-11-26T16:00:00.000Z' }),
]

const fields = ['id', 'source', 'type', 'subject', 'datacontenttype', 'dataschema', 'tenant', 'partitionkey', 'data']

function same (what, got, want) {
  for (const f of fields) {
    const [g, w] = [got, want].map((e) => (e[f] === '' ? '' : JSON.stringify(e[f]) || '')) // no body is '' for the SDK
    if (g !== w && !(f === 'datacontenttype' && want.data === undefined)) throw new Error(`${what}: ${f} is ${g}, want ${w}`)
  }
  if (new Date(got.time).getTime() !== new Date(want.time).getTime()) throw new Error(`${what}: time is ${got.time}, want ${want.time}`)
}

async function post (topic, message) {
  const answer = await fetch(`${base}/ce/${topic}`, { method: 'POST', headers: message.headers, body: message.body })
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`)
}

async function get (topic, parameters) {
  const answer = await fetch(`${base}/ce/${topic}?wait=30s&${parameters}`)
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  return HTTP.toEvent({ headers: Object.fromEntries(answer.headers), body: await answer.text() })
}

async function make (name) {
  const topic = `${prefix}-${name}`
  const admin = client.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: Number(process.env.INTEROP_REPLICAS || 1) }] })
  await admin.disconnect()
  return topic
}

// received reads each event in both modes, and all in a batch.
async function received (topic, want) {
  for (const [i, event] of want.entries()) {
    same(`event ${i} in binary mode`, await get(topic, `mode=binary&from=${i}`), event)
    same(`event ${i} in structured mode`, await get(topic, `mode=structured&from=${i}`), event)
  }
  const all = await get(topic, 'mode=batch')
  if (all.length !== want.length) throw new Error(`${all.length} events in a batch, want ${want.length}`)
  all.forEach((event, i) => same(`event ${i} of a batch`, event, want[i]))
}

async function overHTTP (name, encode) {
  const topic = await make(name)
  for (const event of events()) await post(topic, encode(event))
  await received(topic, events())
}

async function batch () {
  const topic = await make('ce-batch')
  await post(topic, { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: JSON.stringify(events()) })
  await received(topic, events())
}

async function overKafka () {
  const producer = client.producer()
  await producer.connect()
  for (const [mode, encode] of [['binary', Kafka.binary], ['structured', Kafka.structured]]) {
    const topic = await make('ce-kafka-' + mode)
    for (const event of events()) {
      const { headers: all, key, value, body } = encode(event)
      const headers = Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined).map(([k, v]) => [k, String(v)]))
      const content = value === undefined ? body : value
      const text = content === undefined || typeof content === 'string' ? content : JSON.stringify(content)
      await producer.send({ topic, messages: [{ headers, key, partition: 0, value: text === undefined ? null : text }] })
    }
    await received(topic, events())
  }
  await producer.disconnect()
}

async function main () {
  console.log('VERSION cloudevents ' + version)
  await scenario('ce-binary', () => overHTTP('ce-binary', HTTP.binary))
  await scenario('ce-structured', () => overHTTP('ce-structured', HTTP.structured))
  await scenario('ce-batch', batch)
  await scenario('ce-kafka', overKafka)
  process.exit(0)
}

main()
