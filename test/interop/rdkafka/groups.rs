//! The group scenarios of ../content.go.

use crate::{ask_restart, number, tell, want, Content, Res, Sender, World, WITHIN};
use futures_executor::block_on;
use rdkafka::admin::AdminOptions;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PARTS: i64 = 6;
const ROUND: i64 = 300;

/// Counts how often partitions were given.
#[derive(Clone, Default)]
struct Given(Arc<AtomicUsize>);

impl ClientContext for Given {}

impl ConsumerContext for Given {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) { // before the assignment is seen
        if let Rebalance::Assign(_) = rebalance {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

type Seen = Arc<Mutex<Vec<(i64, i64)>>>; // number, offset

/// A consumer in a group, polled by a thread of its own.
struct Member {
    consumer: Arc<BaseConsumer<Given>>,
    given: Given,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Member {
    fn join(w: &World, group: &str, instance: Option<&str>, strategy: &str, seen: &Seen) -> Res<Member> {
        let mut c = w.config();
        c.set("group.id", group).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
        c.set("heartbeat.interval.ms", "300").set("session.timeout.ms", "10000").set("partition.assignment.strategy", strategy);
        if let Some(i) = instance {
            c.set("group.instance.id", i);
        }
        let given = Given::default();
        let consumer: Arc<BaseConsumer<Given>> = Arc::new(c.create_with_context(given.clone())?);
        consumer.subscribe(&[group])?; // topic and group have one name
        let stop = Arc::new(AtomicBool::new(false));
        let (c, s, seen) = (consumer.clone(), stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            while !s.load(Ordering::SeqCst) {
                if let Some(Ok(m)) = c.poll(Duration::from_millis(50)) {
                    let text = m.payload().map(String::from_utf8_lossy).unwrap_or_default();
                    seen.lock().unwrap().push((text.parse().unwrap_or(-1), m.offset()));
                }
            }
        });
        Ok(Member { consumer, given, stop, thread })
    }

    fn owned(&self) -> BTreeSet<i32> {
        self.consumer.assignment().map(|a| a.elements().iter().map(|e| e.partition()).collect()).unwrap_or_default()
    }

    /// Commits the positions, of the partitions that have one.
    fn commit(&self) -> Res<()> {
        let mut all = TopicPartitionList::new();
        for e in self.consumer.position()?.elements() {
            if let Offset::Offset(_) = e.offset() {
                all.add_partition_offset(e.topic(), e.partition(), e.offset())?;
            }
        }
        if all.count() > 0 {
            self.consumer.commit(&all, CommitMode::Sync)?;
        }
        Ok(())
    }

    fn leave(self) -> Res<()> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| "a member's thread failed")?;
        Ok(()) // the consumer closes as it is dropped
    }
}

fn until(what: &str, mut done: impl FnMut() -> Res<bool>) -> Res<()> {
    let end = Instant::now() + WITHIN;
    while !done()? {
        if Instant::now() > end {
            return Err(format!("{what} did not come").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Waits until every partition has one owner and every member some.
fn settle(members: &[Member]) -> Res<()> {
    until("the assignment", || {
        let all: Vec<_> = members.iter().map(Member::owned).collect();
        let union: BTreeSet<_> = all.iter().flatten().collect();
        Ok(all.iter().all(|o| !o.is_empty()) && union.len() == PARTS as usize && all.iter().map(BTreeSet::len).sum::<usize>() == PARTS as usize)
    })
}

fn come(seen: &Seen, total: i64) -> Res<()> {
    until(&format!("record {total}"), || Ok(numbers(seen).len() as i64 >= total))
}

fn numbers(seen: &Seen) -> BTreeSet<i64> {
    seen.lock().unwrap().iter().map(|s| s.0).collect()
}

fn once(seen: &Seen, total: i64) -> Res<()> {
    let mut got: Vec<_> = seen.lock().unwrap().iter().map(|s| s.0).collect();
    got.sort_unstable();
    want("all that was seen is each number once", got == (0..total).collect::<Vec<_>>(), true)
}

struct Crowd<'a> {
    w: &'a World,
    sender: Sender,
}

impl Crowd<'_> {
    fn send(&self, topic: &str, parts: i64, from: i64, to: i64) -> Res<()> {
        for i in from..to {
            self.sender.send(topic, &Content { partition: (i % parts) as i32, ..number(i) })?;
        }
        self.sender.flush()
    }

    fn committed(&self, group: &str, parts: i64) -> Res<BTreeMap<i32, i64>> {
        let c: BaseConsumer = self.w.config().set("group.id", group).create()?;
        let mut all = TopicPartitionList::new();
        for p in 0..parts {
            all.add_partition(group, p as i32);
        }
        let found = c.committed_offsets(all, WITHIN)?;
        Ok(found.elements().iter().map(|e| (e.partition(), e.offset().to_raw().unwrap_or(-1))).collect())
    }

    fn pair(&self, label: &str, instances: [Option<&str>; 2], seen: &Seen) -> Res<(String, Vec<Member>)> {
        let topic = self.w.topic(label, PARTS as i32, &[])?;
        let members = instances.iter().map(|i| Member::join(self.w, &topic, *i, "range", seen)).collect::<Res<Vec<_>>>()?;
        settle(&members)?;
        Ok((topic, members))
    }

    fn group(&self, label: &str, strategy: &str) -> Res<()> {
        let topic = self.w.topic(label, PARTS as i32, &[])?;
        let seen = Seen::default();
        let mut members = vec![];
        for round in 1..=4 {
            if round < 4 {
                members.push(Member::join(self.w, &topic, None, strategy, &seen)?);
            } else {
                members.remove(0).leave()?;
            }
            settle(&members)?;
            self.send(&topic, PARTS, (round - 1) * ROUND, round * ROUND)?;
            come(&seen, round * ROUND)?;
            once(&seen, round * ROUND)?;
            members.iter().try_for_each(Member::commit)?;
        }
        members.into_iter().try_for_each(Member::leave)?;
        once(&seen, 4 * ROUND)?;
        want("committed", self.committed(&topic, PARTS)?, ends(4 * ROUND))
    }

    fn commit(&self) -> Res<()> {
        let topic = self.w.topic("commit", 1, &[])?;
        self.send(&topic, 1, 0, 100)?;
        let seen = Seen::default();
        let first = Member::join(self.w, &topic, None, "range", &seen)?;
        come(&seen, 100)?;
        let mut at = TopicPartitionList::new();
        at.add_partition_offset(&topic, 0, Offset::Offset(60))?;
        first.consumer.commit(&at, CommitMode::Sync)?;
        first.leave()?;
        want("committed", self.committed(&topic, 1)?, BTreeMap::from([(0, 60)]))?;
        let seen = Seen::default();
        let next = Member::join(self.w, &topic, None, "range", &seen)?;
        come(&seen, 40)?;
        let offsets: Vec<_> = seen.lock().unwrap().iter().map(|s| s.1).collect();
        want("resumed with", offsets, (60..100).collect())?;
        next.commit()?;
        next.leave()?;
        want("committed in the end", self.committed(&topic, 1)?, BTreeMap::from([(0, 100)]))
    }

    fn fixed(&self) -> Res<()> {
        let seen = Seen::default();
        let (topic, mut members) = self.pair("static", [Some("a"), Some("b")], &seen)?;
        let (before, calm) = (members[0].owned(), members[1].given.0.load(Ordering::SeqCst));
        members.remove(0).leave()?;
        members.insert(0, Member::join(self.w, &topic, Some("a"), "range", &seen)?);
        settle(&members)?;
        want("partitions after the member came back", members[0].owned(), before)?;
        self.send(&topic, PARTS, 0, ROUND)?;
        come(&seen, ROUND)?;
        once(&seen, ROUND)?;
        want("how often the other was given partitions", members[1].given.0.load(Ordering::SeqCst), calm)?;
        members.into_iter().try_for_each(Member::leave)
    }

    fn restart(&self) -> Res<()> {
        let seen = Seen::default();
        let (topic, members) = self.pair("group-restart", [None, None], &seen)?;
        self.send(&topic, PARTS, 0, ROUND)?;
        come(&seen, ROUND)?;
        members.iter().try_for_each(Member::commit)?;
        let back = ask_restart();
        let mut total = ROUND;
        while !back.load(Ordering::SeqCst) {
            self.send(&topic, PARTS, total, total + PARTS)?;
            total += PARTS;
        }
        self.send(&topic, PARTS, total, total + ROUND)?;
        total += ROUND;
        come(&seen, total)?;
        settle(&members)?;
        // A member that joined again reads again, and commits, what it had not committed.
        until("the commit of the ends", || {
            let all = members.iter().all(|m| m.commit().is_ok()); // refused while the group joins anew
            Ok(all && self.committed(&topic, PARTS).is_ok_and(|c| c == ends(total)))
        })?;
        members.into_iter().try_for_each(Member::leave)?;
        want("committed", self.committed(&topic, PARTS)?, ends(total))
    }

    fn admin(&self) -> Res<()> {
        let seen = Seen::default();
        let (topic, members) = self.pair("group-admin", [None, None], &seen)?;
        self.send(&topic, PARTS, 0, ROUND)?;
        come(&seen, ROUND)?;
        members.iter().try_for_each(Member::commit)?;
        self.look(&topic, "Stable", 2)?;
        want("deleting a live group", self.delete(&topic)?, "NonEmptyGroup".to_owned())?;
        members.into_iter().try_for_each(Member::leave)?;
        until("the empty group", || Ok(self.look(&topic, "Empty", 0).is_ok()))?;
        want("deleting an empty group", self.delete(&topic)?, "NONE".to_owned())?;
        let left = self.w.admin.inner().fetch_group_list(None, WITHIN)?;
        want("listed after it was deleted", left.groups().iter().any(|g| g.name() == topic), false)
    }

    fn look(&self, group: &str, state: &str, members: usize) -> Res<()> {
        let all = self.w.admin.inner().fetch_group_list(None, WITHIN)?;
        want("listed", all.groups().iter().any(|g| g.name() == group), true)?;
        let one = self.w.admin.inner().fetch_group_list(Some(group), WITHIN)?;
        let g = &one.groups()[0];
        let clients: Vec<_> = g.members().iter().map(|m| m.client_id().to_owned()).collect();
        want("state and clients", (g.state(), clients), (state, vec!["interop".to_owned(); members]))
    }

    fn delete(&self, group: &str) -> Res<String> {
        let answers = block_on(self.w.admin.delete_groups(&[group], &AdminOptions::new()))?;
        Ok(match answers.into_iter().next().ok_or("no answer")? {
            Ok(_) => "NONE".to_owned(),
            Err((_, code)) => format!("{code:?}"),
        })
    }
}

fn ends(total: i64) -> BTreeMap<i32, i64> {
    (0..PARTS as i32).map(|p| (p, total / PARTS)).collect()
}

pub fn run(w: &World) -> Res<()> {
    let c = Crowd { w, sender: w.sender(&[("enable.idempotence", "true")])? };
    tell("group", c.group("group", "cooperative-sticky"));
    tell("group-eager", c.group("group-eager", "range"));
    tell("commit", c.commit());
    tell("static", c.fixed());
    tell("group-restart", c.restart());
    tell("group-admin", c.admin());
    Ok(())
}
