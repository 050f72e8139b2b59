import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Share groups (KIP-932). */
public class Shares {
  public static void main(String[] args) throws Exception {
    Interop.addr = args[0];
    Interop.prefix = args[1];
    System.out.println("VERSION kafka-clients " + Interop.version());
    Interop.admin = Admin.create(Map.of("bootstrap.servers", Interop.addr));
    Groups.producer = Interop.producer(Map.of("enable.idempotence", true));
    Interop.scenario("share", Shares::share);
    Interop.scenario("share-again", Shares::again);
    Interop.scenario("share-restart", Shares::restart);
    Interop.scenario("share-admin", Shares::admin);
    Groups.producer.close();
    System.exit(0);
  }

  static void earliest(String group) throws Exception {
    var resource = new ConfigResource(ConfigResource.Type.GROUP, group);
    var op = new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET);
    Interop.admin.incrementalAlterConfigs(Map.of(resource, List.of(op))).all().get();
  }

  static KafkaShareConsumer<byte[], byte[]> consumer(String topic, boolean explicit) {
    Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", Interop.addr, "group.id", topic));
    if (explicit) config.put("share.acknowledgement.mode", "explicit");
    var c = new KafkaShareConsumer<byte[], byte[]>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    c.subscribe(List.of(topic));
    return c;
  }

  /** A member on a thread of its own, which counts what it was given, and of it what it took. */
  static class Member extends Thread {
    final String topic;
    final ConcurrentMap<String, Integer> seen;
    final AtomicBoolean ends = new AtomicBoolean();
    volatile Exception failed;

    Member(String topic, ConcurrentMap<String, Integer> seen) {
      this.topic = topic;
      this.seen = seen;
      start();
    }

    @Override
    public void run() {
      try (var c = consumer(topic, false)) {
        while (!ends.get()) {
          for (var r : c.poll(Duration.ofMillis(200))) seen.merge(r.partition() + "-" + r.offset(), 1, Integer::sum);
          for (var e : c.commitSync().entrySet())
            if (e.getValue().isPresent() && ends.get()) failed = e.getValue().get();
        }
      } catch (Exception e) {
        failed = e;
      }
    }

    void leave() throws Exception {
      ends.set(true);
      join();
      if (failed != null) throw failed;
    }
  }

  static void await(String what, BooleanSupplier happened) throws Exception {
    long end = System.nanoTime() + Interop.WITHIN.toNanos();
    while (!happened.get()) {
      if (System.nanoTime() > end) throw new Exception(what + ": not within " + Interop.WITHIN);
      Thread.sleep(20);
    }
  }

  interface BooleanSupplier {
    boolean get() throws Exception;
  }

  /** Members share the records of a topic with fewer partitions than members; each comes once. */
  static void share() throws Exception {
    String topic = Interop.createTopic("share", Groups.PARTS, Map.of());
    earliest(topic);
    Groups.send(topic, Groups.PARTS, 0, 3 * Groups.ROUND);
    var seen = new ConcurrentHashMap<String, Integer>();
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < Groups.PARTS + 2; i++) members.add(new Member(topic, seen));
    await("all records", () -> seen.size() >= 3 * Groups.ROUND);
    for (Member m : members) m.leave();
    Interop.wantEqual("records", seen.size(), 3 * Groups.ROUND);
    for (var e : seen.entrySet()) Interop.wantEqual("record " + e.getKey() + " came", e.getValue(), 1);
  }

  /** Released records come again with their count, rejected ones do not. */
  static void again() throws Exception {
    String topic = Interop.createTopic("share-again", 1, Map.of());
    earliest(topic);
    Groups.send(topic, 1, 0, 6);
    List<String> got = new ArrayList<>();
    try (var c = consumer(topic, true)) {
      await("all deliveries", () -> {
        for (var r : c.poll(Duration.ofMillis(200))) {
          int count = r.deliveryCount().orElseThrow();
          got.add(r.offset() + "/" + count);
          if (r.offset() % 3 == 0) c.acknowledge(r, AcknowledgeType.ACCEPT);
          else if (r.offset() % 3 == 1) c.acknowledge(r, count < 3 ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
          else c.acknowledge(r, AcknowledgeType.REJECT);
        }
        for (var e : c.commitSync().entrySet()) if (e.getValue().isPresent()) throw e.getValue().get();
        return got.size() >= 10;
      });
    }
    Collections.sort(got);
    Interop.wantEqual("deliveries", got, List.of("0/1", "1/1", "1/2", "1/3", "2/1", "3/1", "4/1", "4/2", "4/3", "5/1"));
  }

  /** What was acknowledged stays so through a restart of the broker, and everything else comes. */
  static void restart() throws Exception {
    String topic = Interop.createTopic("share-restart", Groups.PARTS, Map.of());
    earliest(topic);
    Groups.send(topic, Groups.PARTS, 0, Groups.ROUND);
    var before = new ConcurrentHashMap<String, Integer>();
    var first = new Member(topic, before);
    await("the records before", () -> before.size() >= Groups.ROUND);
    first.leave();
    var seen = new ConcurrentHashMap<String, Integer>();
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < 2; i++) members.add(new Member(topic, seen));
    CountDownLatch back = Interop.askRestart();
    int total = Groups.ROUND;
    for (; back.getCount() > 0; total += Groups.PARTS) Groups.send(topic, Groups.PARTS, total, total + Groups.PARTS);
    Groups.send(topic, Groups.PARTS, total, total + Groups.ROUND);
    int want = total + Groups.ROUND;
    await("all records through the restart", () -> seen.size() + before.size() >= want);
    for (Member m : members) m.leave();
    for (String r : before.keySet()) if (seen.containsKey(r)) throw new Exception("record " + r + " came after it was acknowledged");
  }

  /** What operators see and do. */
  static void admin() throws Exception {
    String topic = Interop.createTopic("share-admin", 1, Map.of());
    earliest(topic);
    Groups.send(topic, 1, 0, 10);
    var seen = new ConcurrentHashMap<String, Integer>();
    var m = new Member(topic, seen);
    await("all records", () -> seen.size() == 10);
    var d = Interop.admin.describeShareGroups(List.of(topic)).all().get().get(topic);
    Interop.wantEqual("state", d.groupState().toString(), "Stable");
    Interop.wantEqual("members", d.members().size(), 1);
    m.leave();
    var p = new TopicPartition(topic, 0);
    await("the start offset", () -> {
      var o = Interop.admin.listShareGroupOffsets(Map.of(topic, new ListShareGroupOffsetsSpec())).partitionsToOffsetInfo(topic).get().get(p);
      return o != null && o.startOffset() == 10;
    });
    Interop.admin.alterShareGroupOffsets(topic, Map.of(p, 7L)).all().get();
    var again = new ConcurrentHashMap<String, Integer>();
    var n = new Member(topic, again);
    await("the records again", () -> again.size() == 3);
    n.leave();
    Interop.admin.deleteShareGroupOffsets(topic, Set.of(topic)).all().get();
    Interop.admin.deleteShareGroups(List.of(topic)).all().get();
    boolean there = Interop.admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(topic));
    Interop.wantEqual("the group is there", there, false);
  }
}
