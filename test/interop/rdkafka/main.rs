//! rust-rdkafka (librdkafka) through the scenarios of ../content.go; those of
//! groups are in groups.rs.

mod groups;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub type Res<T> = Result<T, Box<dyn std::error::Error>>;

const PARTITIONS: i32 = 3;
const CONTENT: i64 = 300;
pub const WITHIN: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(100);

pub fn tell(scenario: &str, result: Res<()>) {
    match result {
        Ok(()) => println!("PASS {scenario}"),
        Err(e) => println!("FAIL {scenario} {}", e.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

pub fn want<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Res<()> {
    if got == want {
        return Ok(());
    }
    Err(format!("{what} is {got:?}, want {want:?}").into())
}

/// Asks for a restart of the broker; the flag is set when it serves again.
pub fn ask_restart() -> Arc<AtomicBool> {
    println!("RESTART");
    let back = Arc::new(AtomicBool::new(false));
    let flag = back.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new()); // GO, or the runner is gone
        flag.store(true, Ordering::SeqCst);
    });
    back
}

/// The first error of a producer's records.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<KafkaError>>>);

impl ClientContext for Failure {}

impl ProducerContext for Failure {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        if let Err((e, _)) = result {
            self.0.lock().unwrap().get_or_insert_with(|| e.clone());
        }
    }
}

/// What a record is made of.
#[derive(Default)]
pub struct Content {
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub timestamp: Option<i64>,
    pub headers: Option<OwnedHeaders>,
}

pub struct Sender {
    producer: ThreadedProducer<Failure>,
    failure: Failure,
}

impl Sender {
    pub fn send(&self, topic: &str, c: &Content) -> Res<()> {
        let mut record = BaseRecord {
            topic,
            partition: Some(c.partition),
            payload: c.value.as_deref(),
            key: c.key.as_deref(),
            timestamp: c.timestamp,
            headers: c.headers.clone(),
            delivery_opaque: (),
        };
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => record = back,
                Err((e, _)) => return Err(e.into()),
            }
            std::thread::sleep(STEP);
        }
    }

    pub fn flush(&self) -> Res<()> {
        self.producer.flush(WITHIN)?;
        match self.failure.0.lock().unwrap().take() {
            Some(e) => Err(e.into()),
            None => Ok(()),
        }
    }
}

pub struct World {
    pub addr: String,
    pub prefix: String,
    base: i64,
    pub admin: AdminClient<DefaultClientContext>,
}

impl World {
    pub fn config(&self) -> ClientConfig {
        let mut c = ClientConfig::new();
        c.set("bootstrap.servers", &self.addr).set("client.id", "interop");
        c
    }

    pub fn sender(&self, more: &[(&str, &str)]) -> Res<Sender> {
        let mut c = self.config();
        for (k, v) in more {
            c.set(*k, *v);
        }
        let failure = Failure::default();
        Ok(Sender { producer: c.create_with_context(failure.clone())?, failure })
    }

    pub fn topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Res<String> {
        let topic = format!("{}-{name}", self.prefix);
        let mut new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(replicas()));
        for (k, v) in settings {
            new = new.set(k, v);
        }
        for answer in block_on(self.admin.create_topics([&new], &AdminOptions::new()))? {
            answer.map_err(|(_, code)| KafkaError::AdminOp(code))?;
        }
        Ok(topic)
    }

    fn reader(&self, topic: &str, partitions: i32) -> Res<BaseConsumer> {
        let c: BaseConsumer = self.config().set("group.id", "unused").set("check.crcs", "true").create()?;
        let mut all = TopicPartitionList::new();
        for p in 0..partitions {
            all.add_partition_offset(topic, p, Offset::Offset(0))?;
        }
        c.assign(&all)?;
        Ok(c)
    }

    fn create(&self) -> Res<()> {
        let topic = self.topic("create", PARTITIONS, &[])?;
        let seen = self.admin.inner().fetch_metadata(Some(&topic), WITHIN)?;
        want("partitions", seen.topics()[0].partitions().len(), PARTITIONS as usize)?;
        refused(self.topic("create", PARTITIONS, &[]), RDKafkaErrorCode::TopicAlreadyExists)
    }

    fn content(&self, i: i64) -> Content {
        Content {
            partition: (i % 3) as i32,
            key: (i % 10 != 0).then(|| format!("k{i}").into_bytes()),
            value: (i % 10 != 5).then(|| format!("value {i} ").repeat(20).into_bytes()),
            timestamp: Some(self.base + i * 1000),
            headers: Some(
                OwnedHeaders::new()
                    .insert(Header { key: "n", value: Some(&i.to_string()) })
                    .insert(Header { key: "empty", value: Some("") }),
            ),
        }
    }

    fn codec(&self, name: &str) -> Res<()> {
        let topic = self.topic(name, PARTITIONS, &[])?;
        let sender = self.sender(&[("compression.type", name), ("linger.ms", "10")])?;
        for i in 0..CONTENT {
            sender.send(&topic, &self.content(i))?;
        }
        sender.flush()?;
        let mut reading = Reading::new(self.reader(&topic, PARTITIONS)?);
        for _ in 0..CONTENT {
            let m = reading.one()?;
            let i = m.offset() * 3 + i64::from(m.partition());
            let c = self.content(i);
            want("the key", m.key().map(<[u8]>::to_vec), c.key)?;
            want("the value", m.payload().map(<[u8]>::to_vec), c.value)?;
            want("the time", m.timestamp().to_millis(), c.timestamp)?;
            let headers: Vec<_> = m.headers().ok_or("no headers")?.iter().map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec))).collect();
            want("the headers", headers, vec![("n".to_owned(), Some(i.to_string().into_bytes())), ("empty".to_owned(), Some(vec![]))])?;
        }
        Ok(())
    }

    fn idempotent(&self) -> Res<()> {
        let topic = self.topic("idempotent", 1, &[])?;
        let sender = self.sender(&[("enable.idempotence", "true"), ("batch.num.messages", "50")])?;
        for i in 0..3000 {
            sender.send(&topic, &number(i))?;
        }
        sender.flush()?;
        Reading::new(self.reader(&topic, 1)?).numbers(0, 3000)
    }

    fn time(&self) -> Res<()> {
        let topic = format!("{}-none", self.prefix);
        let reader = self.reader(&topic, PARTITIONS)?;
        let ask = |ahead: i64| -> Res<Vec<Offset>> {
            let mut all = TopicPartitionList::new();
            for p in 0..PARTITIONS {
                all.add_partition_offset(&topic, p, Offset::Offset(self.base + ahead))?;
            }
            Ok(reader.offsets_for_times(all, WITHIN)?.elements().iter().map(|e| e.offset()).collect())
        };
        want("offsets at base+100 s", ask(100_000)?, [34, 33, 33].map(Offset::Offset).to_vec())?;
        want("offsets after the end", ask(1_000_000_000)?, vec![Offset::End; 3])?;
        want("watermarks", reader.fetch_watermarks(&topic, 0, WITHIN)?, (0, CONTENT / 3))
    }

    fn round_trip(&self, topic: &str, size: usize) -> Res<()> {
        let value: Vec<u8> = (0..size).scan(12345u32, |x, _| { *x = x.wrapping_mul(1664525).wrapping_add(1013904223); Some((*x >> 24) as u8) }).collect();
        let sender = self.sender(&[("message.max.bytes", "20000000")])?;
        sender.send(topic, &Content { value: Some(value.clone()), ..Content::default() })?;
        sender.flush()?;
        let m = Reading::new(self.reader(topic, 1)?).one()?;
        want("the bytes came back unchanged", m.payload() == Some(&value[..]), true)
    }

    fn large(&self) -> Res<()> {
        let topic = self.topic("large", 1, &[])?;
        self.round_trip(&topic, 1_000_000)?;
        refused(self.round_trip(&topic, 1_100_000), RDKafkaErrorCode::MessageSizeTooLarge)
    }

    fn huge(&self) -> Res<()> {
        self.round_trip(&self.topic("huge", 1, &[("max.message.bytes", "10485760")])?, 8 << 20)
    }

    fn restart(&self) -> Res<()> {
        let topic = self.topic("restart", 1, &[])?;
        let sender = self.sender(&[("enable.idempotence", "true")])?;
        let mut reading = Reading::new(self.reader(&topic, 1)?);
        let mut sent = 0;
        let mut send = |n| (0..n).try_for_each(|_| { sent += 1; sender.send(&topic, &number(sent - 1)) });
        send(200)?;
        sender.flush()?;
        reading.numbers(0, 100)?;
        let back = ask_restart();
        while !back.load(Ordering::SeqCst) {
            send(1)?;
            std::thread::sleep(Duration::from_millis(5));
        }
        send(200)?;
        sender.flush()?;
        reading.numbers(100, sent)?;
        want("the end", reading.consumer.fetch_watermarks(&topic, 0, WITHIN)?, (0, sent))
    }
}

pub fn number(i: i64) -> Content {
    Content { value: Some(i.to_string().into_bytes()), ..Content::default() }
}

/// Wants an error of the broker.
fn refused<T>(result: Res<T>, code: RDKafkaErrorCode) -> Res<()> {
    match result {
        Err(e) => {
            let got = match e.downcast_ref::<KafkaError>() {
                Some(KafkaError::AdminOp(code)) => Some(*code), // which the library's own function leaves out
                other => other.and_then(KafkaError::rdkafka_error_code),
            };
            want("the error", got, Some(code))
        }
        Ok(_) => Err(format!("it was taken, want {code:?}").into()),
    }
}

/// Reads records one after the other; each partition's offsets must have no gap.
struct Reading {
    consumer: BaseConsumer,
    next: HashMap<i32, i64>,
}

impl Reading {
    fn new(consumer: BaseConsumer) -> Reading {
        Reading { consumer, next: HashMap::new() }
    }

    fn one(&mut self) -> Res<OwnedMessage> {
        let until = Instant::now() + WITHIN;
        while Instant::now() < until {
            // What is no record is an error that the library mends, as a broker that is away.
            if let Some(Ok(m)) = self.consumer.poll(STEP) {
                let next = self.next.entry(m.partition()).or_default();
                want("the offset", m.offset(), *next)?;
                *next += 1;
                return Ok(m.detach());
            }
        }
        Err(format!("no more records after {:?}", self.next).into())
    }

    fn numbers(&mut self, from: i64, to: i64) -> Res<()> {
        for i in from..to {
            want("the record", self.one()?.payload().map(<[u8]>::to_vec), Some(i.to_string().into_bytes()))?;
        }
        Ok(())
    }
}

/// How many replicas topics have, as the runner says.
fn replicas() -> i32 {
    std::env::var("INTEROP_REPLICAS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

fn main() -> Res<()> {
    let args: Vec<_> = std::env::args().collect();
    println!("VERSION rust-rdkafka 0.39.0 (librdkafka {})", rdkafka::util::get_rdkafka_version().1);
    let admin = ClientConfig::new().set("bootstrap.servers", &args[1]).create()?;
    let base = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64 - 3_600_000;
    let w = World { addr: args[1].clone(), prefix: args[2].clone(), base, admin };
    tell("create", w.create());
    for name in ["none", "gzip", "snappy", "lz4", "zstd"] {
        tell(&format!("codec-{name}"), w.codec(name));
    }
    tell("idempotent", w.idempotent());
    tell("time", w.time());
    tell("large", w.large());
    tell("huge", w.huge());
    tell("restart", w.restart());
    groups::run(&w)
}
