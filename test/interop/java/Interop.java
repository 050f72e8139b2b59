import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.*;

/** Kafka's own Java client through the scenarios of ../content.go. */
public class Interop {
  static final int PARTITIONS = 3, CONTENT = 300, MANY = 3000;
  static final int HUGE = 8 << 20, LARGE = 1_000_000, TOO_LARGE = 1_100_000;
  static final Duration WITHIN = Duration.ofSeconds(60);
  static final long BASE = System.currentTimeMillis() - 3_600_000;

  static String addr, prefix;
  static short replicas = Short.parseShort(System.getenv().getOrDefault("INTEROP_REPLICAS", "1"));
  static Admin admin;

  interface Work {
    void run() throws Exception;
  }

  /** The library's own word on its version; the class that tells it has moved between releases. */
  static String version() throws IOException {
    Properties own = new Properties();
    try (var in = Admin.class.getResourceAsStream("/kafka/kafka-version.properties")) {
      own.load(in);
    }
    return own.getProperty("version");
  }

  public static void main(String[] args) throws IOException {
    addr = args[0];
    prefix = args[1];
    System.out.println("VERSION kafka-clients " + version());
    admin = Admin.create(Map.of("bootstrap.servers", addr));
    scenario("create", Interop::create);
    for (String c : List.of("none", "gzip", "snappy", "lz4", "zstd")) scenario("codec-" + c, () -> codec(c));
    scenario("idempotent", Interop::idempotent);
    scenario("time", Interop::byTime);
    scenario("large", Interop::large);
    scenario("huge", Interop::huge);
    scenario("restart", Interop::restart);
    Transactions.run();
    Groups.run();
    admin.close(Duration.ofSeconds(5));
    System.exit(0);
  }

  static void scenario(String name, Work work) {
    try {
      work.run();
      System.out.println("PASS " + name);
    } catch (Throwable e) { // a failed scenario must not hide the next ones
      e.printStackTrace();
      System.out.println("FAIL " + name + " " + e.toString().replaceAll("\\s+", " "));
    }
  }

  static void wantEqual(String what, Object got, Object want) {
    if (!Objects.equals(got, want)) throw new AssertionError(what + " is " + got + ", want " + want);
  }

  static byte[] bytes(Object o) {
    return o.toString().getBytes(StandardCharsets.UTF_8);
  }

  static String createTopic(String name, int partitions, Map<String, String> configs) throws Exception {
    String topic = prefix + "-" + name;
    try {
      admin.createTopics(List.of(new NewTopic(topic, partitions, replicas).configs(configs))).all().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ApiException cause) throw cause;
      throw e;
    }
    return topic;
  }

  static KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(more);
    settings.put("bootstrap.servers", addr);
    settings.put("max.request.size", HUGE + 1000);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  static KafkaConsumer<byte[], byte[]> consumer(String topic, int partitions) {
    KafkaConsumer<byte[], byte[]> c = new KafkaConsumer<>(
        Map.of("bootstrap.servers", addr), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> parts = new ArrayList<>();
    for (int p = 0; p < partitions; p++) parts.add(new TopicPartition(topic, p));
    c.assign(parts);
    c.seekToBeginning(parts);
    return c;
  }

  static void await(List<Future<RecordMetadata>> sent) throws Exception {
    for (var f : sent) {
      try {
        f.get(WITHIN.toSeconds(), TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof ApiException cause) throw cause;
        throw e;
      }
    }
  }

  /** Reads a partition's records one after the other; their offsets must have no gap. */
  static class Reader {
    final KafkaConsumer<byte[], byte[]> consumer;
    final Map<Integer, Long> next = new HashMap<>();
    Iterator<ConsumerRecord<byte[], byte[]>> polled = Collections.emptyIterator();

    Reader(KafkaConsumer<byte[], byte[]> consumer) {
      this.consumer = consumer;
    }

    ConsumerRecord<byte[], byte[]> one() {
      long until = System.nanoTime() + WITHIN.toNanos();
      while (!polled.hasNext()) {
        if (System.nanoTime() > until) throw new AssertionError("no more records after " + next);
        polled = consumer.poll(Duration.ofSeconds(1)).iterator();
      }
      var r = polled.next();
      wantEqual("offset in partition " + r.partition(), r.offset(), next.getOrDefault(r.partition(), 0L));
      next.put(r.partition(), r.offset() + 1);
      return r;
    }

    void numbers(int from, int to) {
      for (int i = from; i < to; i++) wantEqual("record " + i, new String(one().value()), "" + i);
    }
  }

  static void create() throws Exception {
    String topic = createTopic("create", PARTITIONS, Map.of());
    var answer = admin.describeTopics(List.of(topic));
    // One of the two names is missing in each of the versions: it changed with 3.1, and the old one went with 4.0.
    var all = version().startsWith("2.") ? "all" : "allTopicNames";
    var future = (KafkaFuture<?>) DescribeTopicsResult.class.getMethod(all).invoke(answer);
    var seen = (TopicDescription) ((Map<?, ?>) future.get()).get(topic);
    wantEqual("partitions", seen.partitions().size(), PARTITIONS);
    try {
      createTopic("create", PARTITIONS, Map.of());
    } catch (TopicExistsException e) {
      return;
    }
    throw new AssertionError("the topic was created twice");
  }

  static byte[] key(int i) {
    return i % 10 == 0 ? null : bytes("k" + i);
  }

  static byte[] value(int i) {
    return i % 10 == 5 ? null : bytes(("value " + i + " ").repeat(20));
  }

  static void codec(String name) throws Exception {
    String topic = createTopic(name, PARTITIONS, Map.of());
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (var p = producer(Map.of("compression.type", name, "linger.ms", 10))) {
      for (int i = 0; i < CONTENT; i++) {
        Iterable<Header> headers = List.of(new RecordHeader("n", bytes(i)), new RecordHeader("empty", new byte[0]));
        sent.add(p.send(new ProducerRecord<>(topic, i % PARTITIONS, BASE + i * 1000L, key(i), value(i), headers)));
      }
      p.flush();
      await(sent);
    }
    try (var c = consumer(topic, PARTITIONS)) {
      Reader reader = new Reader(c);
      for (int n = 0; n < CONTENT; n++) check(reader.one());
    }
  }

  static void check(ConsumerRecord<byte[], byte[]> r) {
    int i = (int) r.offset() * PARTITIONS + r.partition();
    wantEqual("key of " + i + " as written", Arrays.equals(r.key(), key(i)), true);
    wantEqual("value of " + i + " as written", Arrays.equals(r.value(), value(i)), true);
    wantEqual("time of " + i, r.timestamp(), BASE + i * 1000L);
    wantEqual("time type of " + i, r.timestampType(), TimestampType.CREATE_TIME);
    StringBuilder headers = new StringBuilder();
    for (Header h : r.headers()) headers.append(h.key()).append('=').append(new String(h.value())).append(' ');
    wantEqual("headers of " + i, headers.toString(), "n=" + i + " empty= ");
  }

  static void idempotent() throws Exception {
    String topic = createTopic("idempotent", 1, Map.of());
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (var p = producer(Map.of("enable.idempotence", true, "acks", "all", "batch.size", 1000))) {
      for (int i = 0; i < MANY; i++) sent.add(p.send(new ProducerRecord<>(topic, bytes(i))));
      await(sent);
    }
    try (var c = consumer(topic, 1)) {
      new Reader(c).numbers(0, MANY);
    }
  }

  static void byTime() {
    String topic = prefix + "-none";
    try (var c = consumer(topic, PARTITIONS)) {
      for (int p = 0; p < PARTITIONS; p++) {
        var part = new TopicPartition(topic, p);
        var at = c.offsetsForTimes(Map.of(part, BASE + 100_000)).get(part);
        long want = (100 + PARTITIONS - 1 - p) / PARTITIONS;
        wantEqual("offset at base+100 s", at.offset(), want);
        wantEqual("its time", at.timestamp(), BASE + (want * PARTITIONS + p) * 1000);
        wantEqual("offset after the end", c.offsetsForTimes(Map.of(part, BASE + 1_000_000_000L)).get(part), null);
        wantEqual("beginning", c.beginningOffsets(List.of(part)).get(part), 0L);
        wantEqual("end", c.endOffsets(List.of(part)).get(part), (long) CONTENT / PARTITIONS);
      }
    }
  }

  static void roundTrip(String topic, int size) throws Exception {
    byte[] sent = new byte[size];
    new Random(1).nextBytes(sent);
    try (var p = producer(Map.of("buffer.memory", 4L * HUGE))) {
      await(List.of(p.send(new ProducerRecord<>(topic, sent))));
    }
    try (var c = consumer(topic, 1)) {
      wantEqual("the bytes came back unchanged", Arrays.equals(new Reader(c).one().value(), sent), true);
    }
  }

  static void large() throws Exception {
    String topic = createTopic("large", 1, Map.of());
    roundTrip(topic, LARGE);
    try {
      roundTrip(topic, TOO_LARGE);
    } catch (RecordTooLargeException e) {
      return;
    }
    throw new AssertionError(TOO_LARGE + " bytes were taken");
  }

  static void huge() throws Exception {
    roundTrip(createTopic("huge", 1, Map.of("max.message.bytes", "10485760")), HUGE);
  }

  static void restart() throws Exception {
    String topic = createTopic("restart", 1, Map.of());
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (var p = producer(Map.of("enable.idempotence", true)); var c = consumer(topic, 1)) {
      Work send = () -> sent.add(p.send(new ProducerRecord<>(topic, bytes(sent.size()))));
      for (int i = 0; i < 200; i++) send.run();
      await(sent);
      Reader reader = new Reader(c);
      reader.numbers(0, 100);
      CountDownLatch back = askRestart();
      while (!back.await(5, TimeUnit.MILLISECONDS)) send.run();
      for (int i = 0; i < 200; i++) send.run();
      await(sent);
      reader.numbers(100, sent.size());
      var part = new TopicPartition(topic, 0);
      wantEqual("end", c.endOffsets(List.of(part)).get(part), (long) sent.size());
    }
  }

  /** Asks for a restart of the broker; the latch opens when it serves again. */
  static CountDownLatch askRestart() {
    CountDownLatch back = new CountDownLatch(1);
    System.out.println("RESTART");
    Thread waiter = new Thread(() -> {
      new Scanner(System.in).nextLine();
      back.countDown();
    });
    waiter.setDaemon(true);
    waiter.start();
    return back;
  }
}
