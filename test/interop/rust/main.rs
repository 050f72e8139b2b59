//! rskafka through the scenarios of ../content.go that it has calls for: it is
//! a client of partitions, without groups and idempotence.

use chrono::{DateTime, TimeZone, Utc};
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

type Res<T> = Result<T, Box<dyn std::error::Error>>;

const PARTITIONS: i32 = 3;
const CONTENT: i64 = 300;

struct World {
    client: Client,
    prefix: String,
    base: i64,
}

fn tell(scenario: &str, result: Res<()>) {
    match result {
        Ok(()) => println!("PASS {scenario}"),
        Err(e) => println!("FAIL {scenario} {}", e.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn want<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Res<()> {
    if got == want {
        return Ok(());
    }
    Err(format!("{what} is {got:?}, want {want:?}").into())
}

fn is(e: &Error, code: ProtocolError) -> bool {
    matches!(e, Error::ServerError { protocol_error, .. } if *protocol_error == code)
}

fn at(millis: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(millis).unwrap()
}

impl World {
    fn content(&self, i: i64) -> Record {
        Record {
            key: (i % 10 != 0).then(|| format!("k{i}").into_bytes()),
            value: (i % 10 != 5).then(|| format!("value {i} ").repeat(20).into_bytes()),
            headers: BTreeMap::from([("n".to_owned(), i.to_string().into_bytes()), ("empty".to_owned(), vec![])]),
            timestamp: at(self.base + i * 1000),
        }
    }

    async fn topic(&self, name: &str, partitions: i32) -> Result<String, Error> {
        let topic = format!("{}-{name}", self.prefix);
        self.client.controller_client()?.create_topic(&topic, partitions, replicas(), 10_000).await?;
        Ok(topic)
    }

    async fn partition(&self, topic: &str, partition: i32) -> Result<PartitionClient, Error> {
        self.client.partition_client(topic, partition, UnknownTopicHandling::Retry).await
    }

    async fn create(&self) -> Res<()> {
        let topic = self.topic("create", PARTITIONS).await?;
        let all = self.client.list_topics().await?;
        let seen = all.iter().find(|t| t.name == topic).map(|t| t.partitions.len());
        want("partitions", seen, Some(PARTITIONS as usize))?;
        match self.topic("create", PARTITIONS).await {
            Err(e) if is(&e, ProtocolError::TopicAlreadyExists) => Ok(()),
            other => Err(format!("creating it once more gives {other:?}").into()),
        }
    }

    async fn codec(&self, name: &str, compression: Compression) -> Res<()> {
        let topic = self.topic(name, PARTITIONS).await?;
        for p in 0..PARTITIONS {
            let client = self.partition(&topic, p).await?;
            let records: Vec<_> = (0..CONTENT).filter(|i| i % 3 == p as i64).map(|i| self.content(i)).collect();
            client.produce(records.clone(), compression).await?;
            let read = read(&client, 0, records.len()).await?;
            want("the records", read, records)?;
        }
        Ok(())
    }

    async fn time(&self) -> Res<()> {
        let topic = format!("{}-none", self.prefix);
        for p in 0..PARTITIONS {
            let client = self.partition(&topic, p).await?;
            let first = (100 + 2 - p as i64) / 3;
            want("offset at base+100 s", client.get_offset(OffsetAt::Timestamp(at(self.base + 100_000))).await?, first)?;
            want("end", client.get_offset(OffsetAt::Latest).await?, CONTENT / 3)?;
            want("beginning", client.get_offset(OffsetAt::Earliest).await?, 0)?;
        }
        Ok(())
    }

    async fn large(&self) -> Res<()> {
        let topic = self.topic("large", 1).await?;
        let client = self.partition(&topic, 0).await?;
        let sized = |n: usize| Record { key: None, value: Some(vec![7; n]), headers: BTreeMap::new(), timestamp: at(self.base) };
        client.produce(vec![sized(1_000_000)], Compression::NoCompression).await?;
        want("the record", read(&client, 0, 1).await?, vec![sized(1_000_000)])?;
        match client.produce(vec![sized(1_100_000)], Compression::NoCompression).await {
            Err(e) if is(&e, ProtocolError::MessageTooLarge) => Ok(()),
            other => Err(format!("1,100,000 bytes give {other:?}").into()),
        }
    }

    /// Without idempotence a send that is tried again may be stored twice: each
    /// number must be there at least once.
    async fn restart(&self) -> Res<()> {
        let topic = self.topic("restart", 1).await?;
        let client = self.partition(&topic, 0).await?;
        let mut sent = 0;
        let back = Arc::new(AtomicBool::new(false));
        for round in 0..3 {
            let mut left = 200;
            if round == 1 {
                println!("RESTART");
                let back = back.clone();
                std::thread::spawn(move || {
                    let _ = std::io::stdin().read_line(&mut String::new()); // GO, or the runner is gone
                    back.store(true, Ordering::SeqCst);
                });
            }
            while if round == 1 { !back.load(Ordering::SeqCst) } else { left > 0 } {
                let one = Record { key: None, value: Some(sent.to_string().into_bytes()), headers: BTreeMap::new(), timestamp: at(self.base) };
                client.produce(vec![one], Compression::NoCompression).await?;
                sent += 1;
                left -= 1;
            }
        }
        let end = client.get_offset(OffsetAt::Latest).await?;
        let seen: BTreeSet<_> = read(&client, 0, end as usize).await?.into_iter().map(|r| r.value).collect();
        want("different numbers", seen.len(), sent)
    }
}

async fn read(client: &PartitionClient, mut offset: i64, count: usize) -> Res<Vec<Record>> {
    let mut out = vec![];
    while out.len() < count {
        let (records, _) = client.fetch_records(offset, 1..10_000_000, 1_000).await?;
        for r in records {
            want("the offset", r.offset, offset)?;
            offset += 1;
            out.push(r.record);
        }
    }
    Ok(out)
}

/// How many replicas topics have, as the runner says.
fn replicas() -> i16 {
    std::env::var("INTEROP_REPLICAS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Res<()> {
    let args: Vec<_> = std::env::args().collect();
    println!("VERSION rskafka 0.6.0");
    let client = ClientBuilder::new(args[1].split(',').map(String::from).collect()).client_id("interop").build().await?;
    let base = Utc::now().timestamp_millis() - 3_600_000;
    let w = World { client, prefix: args[2].clone(), base };
    tell("create", w.create().await);
    for (name, c) in [
        ("none", Compression::NoCompression),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("lz4", Compression::Lz4),
        ("zstd", Compression::Zstd),
    ] {
        tell(&format!("codec-{name}"), w.codec(name, c).await);
    }
    tell("time", w.time().await);
    tell("large", w.large().await);
    tell("restart", w.restart().await);
    Ok(())
}
