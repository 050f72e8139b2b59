import java.io.*;
import java.nio.file.*;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Kafka Streams counts words: with instances coming and going, through a restart of the broker, from a changelog when
 * its local state is gone, and when an instance is killed in the midst of its work. Arguments are settings of Streams
 * (name=value), then the broker's address and the prefix of all topics. With the property interop.instance it is the
 * instance of that name in a process of its own, and runs until its standard input ends.
 */
public class Streams {
  static final int WORDS = 40, ROUND = 300;

  static final Map<String, Object> settings = new HashMap<>();
  static boolean exact; // whether the guarantee is exactly once
  static Path home;
  static String app, in, out;

  public static void main(String[] args) throws Exception {
    for (int i = 0; i < args.length - 2; i++) settings.put(args[i].split("=")[0], args[i].split("=")[1]);
    exact = settings.getOrDefault("processing.guarantee", "").equals("exactly_once_v2");
    Interop.addr = args[args.length - 2];
    Interop.prefix = args[args.length - 1];
    app = Interop.prefix + "-app";
    if (System.getProperty("interop.instance") != null) {
      alone(System.getProperty("interop.instance"));
      return;
    }
    System.out.println("VERSION kafka-streams " + Interop.version());
    Interop.admin = Admin.create(Map.of("bootstrap.servers", Interop.addr));
    home = Files.createTempDirectory("interop-streams");
    in = Interop.createTopic("in", 4, Map.of());
    out = Interop.createTopic("out", 2, Map.of());
    Interop.scenario("word-count", Streams::count);
    Interop.scenario("streams-scale", Streams::scale);
    Interop.scenario("streams-restart", Streams::restart);
    Interop.scenario("streams-restore", Streams::restore);
    Interop.scenario("streams-kill", Streams::kill);
    for (Instance i : running) i.streams.close(Duration.ofSeconds(10));
    delete(home);
    System.exit(0);
  }

  static void delete(Path dir) throws IOException {
    try (var all = Files.walk(dir)) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(p);
    }
  }

  static Topology topology() {
    var b = new StreamsBuilder();
    b.stream(in, Consumed.with(Serdes.String(), Serdes.String()))
        .flatMapValues(line -> Arrays.asList(line.split(" ")))
        .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
        .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts").withCachingDisabled())
        .toStream()
        .to(out, Produced.with(Serdes.String(), Serdes.Long()));
    return b.build();
  }

  static final List<Instance> running = new ArrayList<>();

  /** One instance of the application, with local state of its own. */
  static class Instance implements StateRestoreListener {
    final KafkaStreams streams;
    final Path state;
    volatile long restored;

    Instance(String name) {
      state = home.resolve(name);
      var all = new Properties();
      all.putAll(Map.of("application.id", app, "bootstrap.servers", Interop.addr, "state.dir", state.toString(),
          "client.id", name, "commit.interval.ms", 200, "auto.offset.reset", "earliest",
          "application.server", name + ":1"));
      if (!"streams".equals(settings.get("group.protocol"))) { // where the broker does not set them
        all.put("session.timeout.ms", 6000);
        all.put("heartbeat.interval.ms", 300);
      }
      all.putAll(settings);
      streams = new KafkaStreams(topology(), all);
      streams.setGlobalStateRestoreListener(this);
      streams.start();
      running.add(this);
    }

    boolean works() {
      if (streams.state() == KafkaStreams.State.ERROR) throw new AssertionError("the application has failed");
      return streams.state() == KafkaStreams.State.RUNNING
          && streams.metadataForLocalThreads().stream().anyMatch(t -> !t.activeTasks().isEmpty());
    }

    void close() {
      running.remove(this);
      if (!streams.close(Duration.ofSeconds(30))) throw new AssertionError("an instance does not close");
    }

    @Override
    public void onRestoreStart(TopicPartition p, String store, long from, long to) {}

    @Override
    public void onBatchRestored(TopicPartition p, String store, long end, long n) {}

    @Override
    public void onRestoreEnd(TopicPartition p, String store, long total) {
      synchronized (this) {
        restored += total;
      }
    }
  }

  static void until(String what, BooleanSupplier done) throws InterruptedException {
    until(what, Interop.WITHIN, done);
  }

  static void until(String what, Duration within, BooleanSupplier done) throws InterruptedException {
    long end = System.nanoTime() + within.toNanos();
    while (!done.getAsBoolean()) {
      if (System.nanoTime() > end) throw new AssertionError(what + " did not come");
      Thread.sleep(20);
    }
  }

  static final Map<String, Long> sent = new TreeMap<>(), counted = new TreeMap<>();
  static final Random random = new Random(1);
  static KafkaProducer<String, String> producer;
  static KafkaConsumer<String, Long> consumer;

  static void send(int lines) throws Exception {
    List<Future<RecordMetadata>> all = new ArrayList<>();
    for (int i = 0; i < lines; i++) {
      List<String> words = new ArrayList<>();
      for (int k = 0; k < 5; k++) words.add("word-" + random.nextInt(WORDS));
      for (String w : words) sent.merge(w, 1L, Long::sum);
      all.add(producer.send(new ProducerRecord<>(in, String.join(" ", words))));
    }
    producer.flush();
    Interop.await(all);
  }

  /** Reads what came out, until it says what was sent: at least, where records may be counted again. */
  static void arrived() throws InterruptedException {
    arrived(Interop.WITHIN);
  }

  static void arrived(Duration within) throws InterruptedException {
    until("the counts of " + sent.values().stream().mapToLong(n -> n).sum() + " words", within, () -> {
      for (Instance i : running) i.works();
      for (var r : consumer.poll(Duration.ofMillis(100))) {
        Long before = counted.put(r.key(), r.value());
        if (exact && before != null && r.value() != before + 1)
          throw new AssertionError(r.key() + " went from " + before + " to " + r.value());
      }
      for (var e : sent.entrySet()) {
        long n = counted.getOrDefault(e.getKey(), 0L);
        if (exact && n > e.getValue()) throw new AssertionError(e.getKey() + " was counted " + n + " times, want " + e.getValue());
        if (n < e.getValue()) return false;
      }
      return true;
    });
    sent.putAll(counted); // what was counted again stays counted
  }

  /**
   * Compares an instance's store with what came out. At least once, what is counted again is still being counted when
   * the last word has come out: the two are compared when they stand.
   */
  static void storedIsWhatCameOut(Instance i) throws InterruptedException {
    if (!exact) {
      until("the counts of the store", () -> {
        for (var r : consumer.poll(Duration.ofMillis(100))) counted.put(r.key(), r.value());
        return stored(i).equals(counted);
      });
      sent.putAll(counted);
    }
    Interop.wantEqual("counts in the store", stored(i), counted);
  }

  static void count() throws Exception {
    producer = new KafkaProducer<>(Map.of("bootstrap.servers", Interop.addr), new StringSerializer(), new StringSerializer());
    consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", Interop.addr, "isolation.level", "read_committed"),
        new StringDeserializer(), new LongDeserializer());
    var parts = List.of(new TopicPartition(out, 0), new TopicPartition(out, 1));
    consumer.assign(parts);
    consumer.seekToBeginning(parts);
    send(ROUND);
    warmUp();
    var first = new Instance("first");
    until("the first instance", first::works);
    arrived();
    send(ROUND);
    arrived();
  }

  /** A second instance takes some of the work, and gives it back. */
  static void scale() throws Exception {
    var second = new Instance("second");
    until("work for both", () -> running.stream().allMatch(Instance::works));
    send(ROUND);
    arrived();
    second.close();
    send(ROUND);
    arrived();
  }

  static void restart() throws Exception {
    CountDownLatch back = Interop.askRestart();
    while (!back.await(50, TimeUnit.MILLISECONDS)) send(2);
    send(ROUND);
    arrived();
  }

  /** All local state is gone: the counts come back from the changelog, and go on. */
  static void restore() throws Exception {
    for (Instance i : List.copyOf(running)) i.close();
    delete(home.resolve("first"));
    var again = new Instance("first");
    send(ROUND);
    arrived();
    if (again.restored == 0) throw new AssertionError("nothing was restored");
    storedIsWhatCameOut(again);
  }

  /** How long it may take until a killed instance's work is another's: a session of 45 s has to end first. */
  static final Duration AFTER_KILL = Duration.ofSeconds(180);

  /**
   * An instance in a process of its own takes some of the work, can be found by its host, and is killed while it works:
   * the other restores what it had counted and goes on.
   */
  static void kill() throws Exception {
    var first = running.get(0);
    var command = new ArrayList<>(List.of(ProcessHandle.current().info().command().get(), "-Xmx256M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Dlog4j2.level=ERROR", "-Dinterop.instance=killed", "-Dinterop.home=" + home, "-cp", System.getProperty("java.class.path"), "Streams"));
    settings.forEach((k, v) -> command.add(k + "=" + v));
    command.addAll(List.of(Interop.addr, Interop.prefix));
    Process child = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      String said = child.inputReader().readLine();
      if (!"WORKS".equals(said)) throw new AssertionError("the other process says " + said);
      until("a host for every word", () -> hosts(first).equals(Set.of("first", "killed")) && noWarmups());
      send(ROUND);
      arrived();
      first.restored = 0;
      send(20 * ROUND);
    } finally {
      child.destroyForcibly().waitFor(); // SIGKILL: it says goodbye to nobody
    }
    arrived(AFTER_KILL);
    until("a host for every word", () -> hosts(first).equals(Set.of("first")));
    if (first.restored == 0) throw new AssertionError("nothing was restored");
    storedIsWhatCameOut(first);
  }

  /** The hosts that can be asked for the words, as an instance knows them. */
  static Set<String> hosts(Instance i) {
    Set<String> hosts = new TreeSet<>();
    for (String word : sent.keySet()) {
      var found = i.streams.queryMetadataForKey("counts", word, new StringSerializer());
      hosts.add(found == null || found == KeyQueryMetadata.NOT_AVAILABLE ? "nobody" : found.activeHost().host());
    }
    return hosts;
  }

  /** Asks for as many warm-up tasks as there may be, where the broker knows the setting. */
  static void warmUp() throws Exception {
    if (!"streams".equals(settings.get("group.protocol"))) return;
    for (String set : List.of("streams.num.warmup.replicas=2", "streams.acceptable.recovery.lag=0")) {
      String[] s = set.split("=");
      var op = new AlterConfigOp(new ConfigEntry(s[0], s[1]), AlterConfigOp.OpType.SET);
      try {
        Interop.admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, app), List.of(op))).all().get();
        System.err.println("the broker takes " + set);
      } catch (ExecutionException e) {
        System.err.println("the broker does not take " + set + ": " + e.getCause());
      }
    }
  }

  /** Neither Kafka 4.4 nor Ottla lets tasks warm up, whatever a group's settings say. */
  static boolean noWarmups() {
    if (!"streams".equals(settings.get("group.protocol"))) return true;
    try {
      for (var m : Interop.admin.describeStreamsGroups(List.of(app)).all().get().get(app).members())
        if (!m.assignment().warmupTasks().isEmpty()) throw new AssertionError("a task warms up at " + m.clientId());
      return true;
    } catch (InterruptedException | ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  /** What the process of one instance does. */
  static void alone(String name) throws Exception {
    in = Interop.prefix + "-in";
    out = Interop.prefix + "-out";
    home = Path.of(System.getProperty("interop.home"));
    var mine = new Instance(name);
    until("work for " + name, mine::works);
    System.out.println("WORKS");
    while (System.in.read() >= 0) {}
    Runtime.getRuntime().halt(1);
  }

  static Map<String, Long> stored(Instance i) {
    var store = i.streams.store(StoreQueryParameters.fromNameAndType("counts", org.apache.kafka.streams.state.QueryableStoreTypes.<String, Long>keyValueStore()));
    Map<String, Long> all = new TreeMap<>();
    try (var rows = store.all()) {
      rows.forEachRemaining(r -> all.put(r.key, r.value));
    }
    return all;
  }
}
