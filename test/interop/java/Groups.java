import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.serialization.*;

/** The group scenarios of ../content.go. */
class Groups {
  static final int PARTS = 6, ROUND = 300;

  /** The assignors of the scenarios; null stands for the consumer protocol, where the server assigns. */
  static Class<?> eager = RangeAssignor.class, cooperative = CooperativeStickyAssignor.class;

  interface Ask {
    void of(KafkaConsumer<byte[], byte[]> c);
  }

  /** A number that came, and where it lay. */
  record Seen(int number, long offset) {}

  /** One consumer in a group, in a thread of its own; whoever wants something of it hands in a function. */
  static class Member implements ConsumerRebalanceListener {
    final BlockingQueue<FutureTask<Void>> asked = new LinkedBlockingQueue<>();
    final Thread thread;
    KafkaConsumer<byte[], byte[]> consumer; // of the thread
    volatile Set<Integer> owned = Set.of();
    volatile int rebalances;
    volatile boolean open = true;
    volatile Throwable failure;

    Member(String group, String topic, String instance, Class<?> assignor, Collection<Seen> seen) {
      Map<String, Object> settings = new HashMap<>(Map.of(
          "bootstrap.servers", Interop.addr, "group.id", group, "client.id", "interop", "enable.auto.commit", false,
          "auto.offset.reset", "earliest"));
      if (assignor == null) settings.put("group.protocol", "consumer");
      else settings.putAll(Map.of("heartbeat.interval.ms", 300, "session.timeout.ms", 10000, "partition.assignment.strategy", assignor.getName()));
      if (instance != null) settings.put("group.instance.id", instance);
      thread = new Thread(() -> work(settings, topic, seen));
      thread.setDaemon(true);
      thread.start();
    }

    void work(Map<String, Object> settings, String topic, Collection<Seen> seen) {
      try (var c = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
        consumer = c;
        subscribe(c, topic);
        while (open) {
          for (var r : c.poll(Duration.ofMillis(100)))
            seen.add(new Seen(Integer.parseInt(new String(r.value(), StandardCharsets.UTF_8)), r.offset()));
          for (FutureTask<Void> t; (t = asked.poll()) != null; ) t.run();
        }
      } catch (Throwable e) {
        failure = e;
      }
    }

    void subscribe(KafkaConsumer<byte[], byte[]> c, String topic) {
      c.subscribe(List.of(topic), this);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> parts) {
      rebalances++; // before they are owned; the library's own assignment() may change before it tells of it
      change(parts, true);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> parts) {
      change(parts, false);
    }

    void change(Collection<TopicPartition> parts, boolean given) {
      Set<Integer> now = new TreeSet<>(owned);
      for (var p : parts) {
        if (given) now.add(p.partition());
        else now.remove(p.partition());
      }
      owned = now;
    }

    void ask(Ask work) throws Exception {
      var task = new FutureTask<Void>(() -> work.of(consumer), null);
      asked.add(task);
      task.get(Interop.WITHIN.toSeconds(), TimeUnit.SECONDS);
    }

    void commit() throws Exception {
      ask(KafkaConsumer::commitSync);
    }

    void leave() throws Exception {
      open = false;
      thread.join(Interop.WITHIN.toMillis());
      Interop.wantEqual("a member that left still runs", thread.isAlive(), false);
      check();
    }

    void check() {
      if (failure != null) throw new AssertionError("a member failed: " + failure, failure);
    }
  }

  static void until(String what, List<Member> members, BooleanSupplier done) throws InterruptedException {
    long end = System.nanoTime() + Interop.WITHIN.toNanos();
    while (!done.getAsBoolean()) {
      for (Member m : members) m.check();
      if (System.nanoTime() > end) throw new AssertionError(what + " did not come");
      Thread.sleep(20);
    }
  }

  /** Waits until every partition has one owner and every member some. */
  static void settle(List<Member> members) throws InterruptedException {
    until("the assignment", members, () -> {
      Set<Integer> all = new HashSet<>();
      int count = 0;
      for (Member m : members) {
        Set<Integer> owned = m.owned;
        if (owned.isEmpty()) return false;
        count += owned.size();
        all.addAll(owned);
      }
      return count == PARTS && all.size() == PARTS;
    });
  }

  static void once(Collection<Seen> seen, int total) {
    List<Integer> got = new ArrayList<>(), want = new ArrayList<>();
    for (Seen s : seen) got.add(s.number());
    for (int i = 0; i < total; i++) want.add(i);
    Collections.sort(got);
    if (!got.equals(want)) throw new AssertionError(got.size() + " records seen, want each of " + total + " once");
  }

  static void send(String topic, int parts, int first, int last) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int i = first; i < last; i++) sent.add(producer.send(new ProducerRecord<>(topic, i % parts, null, Interop.bytes(i))));
    producer.flush();
    Interop.await(sent);
  }

  static Map<Integer, Long> committed(String group) throws Exception {
    Map<Integer, Long> out = new TreeMap<>();
    var found = Interop.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    found.forEach((p, at) -> out.put(p.partition(), at.offset()));
    return out;
  }

  static Map<Integer, Long> ends(int total) {
    Map<Integer, Long> out = new TreeMap<>();
    for (int p = 0; p < PARTS; p++) out.put(p, (long) total / PARTS);
    return out;
  }

  static KafkaProducer<byte[], byte[]> producer;

  static void run() {
    producer = Interop.producer(Map.of("enable.idempotence", true));
    Interop.scenario("group", () -> group("group", cooperative));
    Interop.scenario("group-eager", () -> group("group-eager", eager));
    Interop.scenario("commit", Groups::commit);
    Interop.scenario("static", Groups::fixed);
    Interop.scenario("group-restart", Groups::restart);
    Interop.scenario("group-admin", Groups::admin);
    producer.close(Duration.ofSeconds(5));
  }

  static void group(String label, Class<?> assignor) throws Exception {
    String topic = Interop.createTopic(label, PARTS, Map.of());
    var seen = new ConcurrentLinkedQueue<Seen>();
    List<Member> members = new ArrayList<>();
    for (int total = ROUND; total <= 4 * ROUND; total += ROUND) {
      if (total <= 3 * ROUND) members.add(new Member(topic, topic, null, assignor, seen));
      else members.remove(0).leave();
      settle(members);
      send(topic, PARTS, total - ROUND, total);
      int want = total;
      until("record " + want, members, () -> seen.size() >= want);
      once(seen, want);
      for (Member m : members) m.commit();
    }
    for (Member m : members) m.leave();
    once(seen, 4 * ROUND);
    Interop.wantEqual("committed", committed(topic), ends(4 * ROUND));
  }

  static void commit() throws Exception {
    String topic = Interop.createTopic("commit", 1, Map.of());
    send(topic, 1, 0, 100);
    var seen = new ConcurrentLinkedQueue<Seen>();
    Member m = new Member(topic, topic, null, eager, seen);
    until("100 records", List.of(m), () -> seen.size() == 100);
    m.ask(c -> c.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(60, "by hand"))));
    m.leave();
    Interop.wantEqual("committed", committed(topic), Map.of(0, 60L));
    seen.clear();
    Member next = new Member(topic, topic, null, eager, seen);
    until("40 records", List.of(next), () -> seen.size() >= 40);
    List<Long> got = new ArrayList<>(), want = new ArrayList<>();
    for (Seen s : seen) got.add(s.offset());
    for (long o = 60; o < 100; o++) want.add(o);
    Interop.wantEqual("resumed with", got, want);
    next.commit();
    next.leave();
    Interop.wantEqual("committed in the end", committed(topic), Map.of(0, 100L));
  }

  static void fixed() throws Exception {
    String topic = Interop.createTopic("static", PARTS, Map.of());
    var seen = new ConcurrentLinkedQueue<Seen>();
    Member a = new Member(topic, topic, "a", eager, seen), b = new Member(topic, topic, "b", eager, seen);
    settle(List.of(a, b));
    Set<Integer> owned = a.owned;
    int calm = b.rebalances;
    a.leave();
    a = new Member(topic, topic, "a", eager, seen);
    settle(List.of(a, b));
    Interop.wantEqual("partitions after the member came back", a.owned, owned);
    send(topic, PARTS, 0, ROUND);
    until("the records", List.of(a, b), () -> seen.size() >= ROUND);
    once(seen, ROUND);
    Interop.wantEqual("rebalances of the other", b.rebalances, calm);
    a.leave();
    b.leave();
  }

  static void restart() throws Exception {
    String topic = Interop.createTopic("group-restart", PARTS, Map.of());
    var seen = new ConcurrentLinkedQueue<Seen>();
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < 2; i++) members.add(new Member(topic, topic, null, cooperative, seen));
    settle(members);
    send(topic, PARTS, 0, ROUND);
    until("the records before", members, () -> seen.size() >= ROUND);
    for (Member m : members) m.commit();
    CountDownLatch back = Interop.askRestart();
    int total = ROUND;
    for (; back.getCount() > 0; total += PARTS) send(topic, PARTS, total, total + PARTS);
    send(topic, PARTS, total, total + ROUND);
    total += ROUND;
    int want = total;
    until("all records through the restart", members, () -> distinct(seen) >= want);
    settle(members);
    commitEnds(members, topic, total);
    for (Member m : members) m.leave();
    Interop.wantEqual("committed", committed(topic), ends(total));
  }

  /** Commits until all is committed: a member that joined again reads again, and commits, what it had not committed. */
  static void commitEnds(List<Member> members, String group, int total) throws InterruptedException {
    until("the commit of " + total, members, () -> {
      try {
        for (Member m : members) m.commit();
        return committed(group).equals(ends(total));
      } catch (Exception e) { // refused while the group joins anew; until bounds how often
        return false;
      }
    });
  }

  static long distinct(Collection<Seen> seen) {
    return seen.stream().map(Seen::number).distinct().count();
  }

  static void admin() throws Exception {
    String topic = Interop.createTopic("group-admin", PARTS, Map.of());
    var seen = new ConcurrentLinkedQueue<Seen>();
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < 2; i++) members.add(new Member(topic, topic, null, eager, seen));
    settle(members);
    send(topic, PARTS, 0, ROUND);
    until("the records", members, () -> seen.size() >= ROUND);
    for (Member m : members) m.commit();
    Interop.wantEqual("listed", listed(topic), true);
    var group = describe(topic);
    Interop.wantEqual("state", group.state().toString(), "Stable");
    Interop.wantEqual("members", group.members().size(), 2);
    for (var m : group.members()) Interop.wantEqual("client", m.clientId() + m.host(), "interop/127.0.0.1");
    Interop.wantEqual("offsets", committed(topic), ends(ROUND));
    try {
      Interop.admin.deleteConsumerGroups(List.of(topic)).all().get();
      throw new AssertionError("a live group was deleted");
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof GroupNotEmptyException)) throw e;
    }
    for (Member m : members) m.leave();
    until("the empty group", List.of(), () -> {
      try {
        return describe(topic).state().toString().equals("Empty");
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    });
    Interop.admin.deleteConsumerGroups(List.of(topic)).all().get();
    Interop.wantEqual("listed after it was deleted", listed(topic), false);
  }

  static ConsumerGroupDescription describe(String group) throws Exception {
    return Interop.admin.describeConsumerGroups(List.of(group)).all().get().get(group);
  }

  static boolean listed(String group) throws Exception {
    return Interop.admin.listConsumerGroups().all().get().stream().anyMatch(g -> g.groupId().equals(group));
  }
}
