import java.util.*;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;

/** The group scenarios with the consumer protocol (KIP-848), and those that only it has. */
public class Consumers {
  public static void main(String[] args) throws Exception {
    Interop.addr = args[0];
    Interop.prefix = args[1];
    System.out.println("VERSION kafka-clients " + Interop.version());
    Interop.admin = Admin.create(Map.of("bootstrap.servers", Interop.addr));
    Class<?> classic = Groups.cooperative;
    Groups.eager = Groups.cooperative = null;
    Groups.producer = Interop.producer(Map.of("enable.idempotence", true));
    Interop.scenario("group", () -> Groups.group("group", null));
    Interop.scenario("commit", Groups::commit);
    Interop.scenario("static", Groups::fixed);
    Interop.scenario("group-restart", Groups::restart);
    Interop.scenario("group-admin", Groups::admin);
    Interop.scenario("regex", Consumers::regex);
    Interop.scenario("migrate", () -> migrate(classic));
    Groups.producer.close();
    System.exit(0);
  }

  /** A member that reads what an expression matches; the server resolves it. */
  static class Matching extends Groups.Member {
    Matching(String group, String expression, Collection<Groups.Seen> seen) {
      super(group, expression, null, null, seen);
    }

    @Override
    void subscribe(KafkaConsumer<byte[], byte[]> c, String expression) {
      c.subscribe(new SubscriptionPattern(expression), this);
    }
  }

  static void regex() throws Exception {
    String one = Interop.createTopic("regex-1", Groups.PARTS, Map.of());
    String expression = one.substring(0, one.length() - 1) + "[0-9]", group = one;
    var seen = new ConcurrentLinkedQueue<Groups.Seen>();
    List<Groups.Member> members = new ArrayList<>();
    for (int i = 0; i < 2; i++) members.add(new Matching(group, expression, seen));
    Groups.settle(members);
    Groups.send(one, Groups.PARTS, 0, Groups.ROUND);
    Groups.until("the records of the first topic", members, () -> seen.size() >= Groups.ROUND);
    String two = Interop.createTopic("regex-2", Groups.PARTS, Map.of());
    Groups.send(two, Groups.PARTS, Groups.ROUND, 2 * Groups.ROUND);
    Groups.until("the records of a topic made later", members, () -> seen.size() >= 2 * Groups.ROUND);
    Groups.once(seen, 2 * Groups.ROUND);
    for (Groups.Member m : members) m.leave();
  }

  /** A group goes from the classic protocol to the consumer protocol and back, a member at a time. */
  static void migrate(Class<?> classic) throws Exception {
    String topic = Interop.createTopic("migrate", Groups.PARTS, Map.of());
    var seen = new ConcurrentLinkedQueue<Groups.Seen>();
    List<Groups.Member> members = new ArrayList<>();
    int total = 0;
    // who comes (true: with the consumer protocol), or null for the one there longest to go
    for (Boolean comes : Arrays.asList(false, false, true, null, true, null, false, null, null)) {
      if (comes == null) members.remove(0).leave();
      else members.add(new Groups.Member(topic, topic, null, comes ? null : classic, seen));
      Groups.settle(members);
      Groups.send(topic, Groups.PARTS, total, total + Groups.ROUND);
      total += Groups.ROUND;
      int want = total;
      // At least once: a group that converts may move a partition between the reading and the commit.
      Groups.until("record " + want, members, () -> Groups.distinct(seen) >= want);
      commitAll(members, topic, total);
    }
    String type = Interop.admin.listGroups().all().get().stream().filter(g -> g.groupId().equals(topic)).findFirst().orElseThrow().type().orElseThrow().toString();
    Interop.wantEqual("the type in the end", type, "Classic");
    for (Groups.Member m : members) m.leave();
    Interop.wantEqual("committed", Groups.committed(topic), Groups.ends(total));
  }

  /** Commits until all is committed: a member that has to join again is refused. */
  static void commitAll(List<Groups.Member> members, String group, int total) throws Exception {
    Groups.commitEnds(members, group, total);
  }
}
