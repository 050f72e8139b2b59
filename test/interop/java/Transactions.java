import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

/** The transaction scenarios of ../content.go. */
class Transactions {
  static final int ROUND = 30, PARTS = Interop.PARTITIONS;

  static void run() {
    Interop.scenario("txn", Transactions::txn);
    Interop.scenario("txn-offsets", Transactions::offsets);
    Interop.scenario("txn-fenced", Transactions::fenced);
  }

  static KafkaProducer<byte[], byte[]> producer(String id) {
    var p = Interop.producer(Map.of("transactional.id", Interop.prefix + "-" + id));
    p.initTransactions();
    return p;
  }

  /** Sends ROUND numbers, from first on, in a transaction that it leaves open. */
  static void round(KafkaProducer<byte[], byte[]> p, String topic, int first) throws Exception {
    p.beginTransaction();
    for (int i = first; i < first + ROUND; i++) p.send(new ProducerRecord<>(topic, i % PARTS, null, Interop.bytes(i)));
    p.flush();
  }

  static void txn() throws Exception {
    String topic = Interop.createTopic("txn", PARTS, Map.of());
    try (var p = producer("txn")) {
      for (int i = 0; i < 3; i++) {
        round(p, topic, i * ROUND);
        if (i == 1) p.abortTransaction();
        else p.commitTransaction();
      }
    }
    numbers(topic, "read_committed", 0, 2 * ROUND);
    numbers(topic, "read_uncommitted", 0, ROUND, 2 * ROUND);
  }

  static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(more);
    settings.put("bootstrap.servers", Interop.addr);
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", false);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** Reads a topic at an isolation level: it has the rounds that begin with firsts, in order, and nothing else. */
  static void numbers(String topic, String level, int... firsts) {
    Map<Integer, Deque<Integer>> want = new HashMap<>();
    int left = 0;
    for (int first : firsts)
      for (int i = first; i < first + ROUND; i++, left++) want.computeIfAbsent(i % PARTS, p -> new ArrayDeque<>()).add(i);
    try (var c = consumer(Map.of("isolation.level", level))) {
      List<TopicPartition> parts = new ArrayList<>();
      for (int p = 0; p < PARTS; p++) parts.add(new TopicPartition(topic, p));
      c.assign(parts);
      c.seekToBeginning(parts);
      for (long end = System.nanoTime() + Interop.WITHIN.toNanos(); left > 0; ) {
        if (System.nanoTime() > end) throw new AssertionError(left + " numbers are missing at " + level);
        for (var r : c.poll(Duration.ofMillis(500))) {
          Interop.wantEqual(level + ", partition " + r.partition() + " offset " + r.offset(),
              new String(r.value(), StandardCharsets.UTF_8), String.valueOf(want.get(r.partition()).poll()));
          left--;
        }
      }
    }
  }

  /** Consumes, transforms and produces; the second try is aborted. */
  static void offsets() throws Exception {
    String in = Interop.createTopic("txn-in", PARTS, Map.of()), out = Interop.createTopic("txn-out", PARTS, Map.of());
    try (var p = producer("txn-fill")) {
      for (int i = 0; i < 2; i++) {
        round(p, in, i * ROUND);
        p.commitTransaction();
      }
    }
    try (var p = producer("txn-offsets");
        var c = consumer(Map.of("group.id", in, "isolation.level", "read_committed", "max.poll.records", 20))) {
      c.subscribe(List.of(in));
      long end = System.nanoTime() + Interop.WITHIN.toNanos();
      for (int done = 0, attempt = 0; done < 2 * ROUND; ) {
        if (System.nanoTime() > end) throw new AssertionError("only " + done + " numbers came");
        var records = c.poll(Duration.ofMillis(500));
        if (records.isEmpty()) continue;
        p.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        Map<TopicPartition, Long> first = new HashMap<>();
        for (var r : records) {
          var tp = new TopicPartition(in, r.partition());
          p.send(new ProducerRecord<>(out, r.partition(), null, r.value()));
          next.put(tp, new OffsetAndMetadata(r.offset() + 1));
          first.putIfAbsent(tp, r.offset());
        }
        p.sendOffsetsToTransaction(next, c.groupMetadata());
        if (attempt++ == 1) {
          p.abortTransaction();
          first.forEach(c::seek);
          continue;
        }
        p.commitTransaction();
        done += records.count();
      }
    }
    numbers(out, "read_committed", 0, ROUND);
    var committed = Interop.admin.listConsumerGroupOffsets(in).partitionsToOffsetAndMetadata().get();
    for (int p = 0; p < PARTS; p++) {
      long extra = committed.get(new TopicPartition(in, p)).offset() - 2 * ROUND / PARTS;
      if (extra < 0 || extra > 2) throw new AssertionError("partition " + p + " is committed " + extra + " off its end");
    }
  }

  static void fenced() throws Exception {
    String topic = Interop.createTopic("txn-fenced", PARTS, Map.of());
    try (var first = producer("txn-fenced")) {
      round(first, topic, 0);
      try (var second = producer("txn-fenced")) {
        round(second, topic, ROUND);
        try {
          first.commitTransaction();
          throw new AssertionError("the first producer could commit");
        } catch (ProducerFencedException | InvalidProducerEpochException e) {
          // as it must be
        }
        second.commitTransaction();
      }
    }
    numbers(topic, "read_committed", ROUND);
  }
}
