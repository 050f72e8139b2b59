import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.message.Encoding;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.kafka.CloudEventDeserializer;
import io.cloudevents.kafka.CloudEventSerializer;
import io.cloudevents.kafka.PartitionKeyExtensionInterceptor;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** CloudEvents' SDK for Java through the scenarios of ../content.go that begin with ce. */
public final class Cloud {
  static final String BASE = "http://" + System.getenv("INTEROP_HTTP") + "/ce/";
  static final int WITHIN_S = 60;
  static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  static String addr, prefix;

  interface Work {
    void run() throws Exception;
  }

  public static void main(String[] args) {
    addr = args[0];
    prefix = args[1];
    System.out.println("VERSION sdk-java " + System.getProperty("cloudevents"));
    scenario("ce-binary", () -> overHttp("ce-binary", false));
    scenario("ce-structured", () -> overHttp("ce-structured", true));
    scenario("ce-kafka", Cloud::overKafka);
  }

  static void scenario(String name, Work work) {
    try {
      work.run();
    } catch (Throwable e) { // a failed scenario must not hide the next ones
      e.printStackTrace();
      System.out.println("FAIL " + name + " " + String.valueOf(e).replaceAll("\\s+", " "));
      return;
    }
    System.out.println("PASS " + name);
  }

  /** What is sent: JSON, text and bytes as data, and none. The SDK does not encode what headers cannot hold. */
  static List<CloudEvent> events() {
    OffsetDateTime at = OffsetDateTime.parse("2026-11-26T16:00:00.25Z");
    return List.of(
        start("0").withSubject("order-7").withTime(at).withDataSchema(URI.create("https://example.com/s")).withExtension("tenant", "a").withExtension("partitionkey", "k")
            .withData("application/json", "{\"total\":120.5,\"name\":\"Grüße\"}".getBytes(StandardCharsets.UTF_8)).build(),
        start("1").withData("text/plain", "Grüße, \"you\"".getBytes(StandardCharsets.UTF_8)).build(),
        start("2").withData("application/octet-stream", new byte[] {-1, 0, -2}).build(),
        start("3").build());
  }

  static io.cloudevents.core.v1.CloudEventBuilder start(String id) {
    return CloudEventBuilder.v1().withId(id).withSource(URI.create("/interop")).withType("order.placed");
  }

  /** An event as it can be compared, whatever form its data has. */
  static List<Object> plain(CloudEvent e) {
    List<Object> out = new ArrayList<>();
    for (String name : List.of("id", "source", "type", "subject", "time", "datacontenttype", "dataschema")) {
      out.add(Objects.toString(e.getAttribute(name)));
    }
    for (String name : List.of("tenant", "partitionkey")) {
      out.add(Objects.toString(e.getExtension(name)));
    }
    byte[] data = e.getData() == null ? new byte[0] : e.getData().toBytes();
    out.add(new String(data, StandardCharsets.ISO_8859_1));
    return out;
  }

  static void same(String what, CloudEvent got, CloudEvent want) {
    if (!plain(got).equals(plain(want))) {
      throw new AssertionError(what + " is " + plain(got) + ", want " + plain(want));
    }
  }

  static void post(String topic, CloudEvent event, boolean structured) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(BASE + topic)).timeout(Duration.ofSeconds(WITHIN_S));
    Map<String, String> headers = new HashMap<>();
    byte[][] body = {new byte[0]};
    var writer = HttpMessageFactory.createWriter(headers::put, b -> body[0] = b == null ? new byte[0] : b);
    if (structured) {
      writer.writeStructured(event, new JsonFormat());
    } else {
      writer.writeBinary(event);
    }
    headers.forEach(request::header);
    HttpResponse<String> answer = HTTP.send(request.POST(BodyPublishers.ofByteArray(body[0])).build(), BodyHandlers.ofString());
    if (answer.statusCode() != 202) {
      throw new AssertionError(answer.statusCode() + " " + answer.body());
    }
  }

  static CloudEvent get(String topic, String parameters) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(BASE + topic + "?wait=30s&" + parameters)).timeout(Duration.ofSeconds(WITHIN_S)).build();
    HttpResponse<byte[]> answer = HTTP.send(request, BodyHandlers.ofByteArray());
    if (answer.statusCode() != 200) {
      throw new AssertionError(answer.statusCode() + " " + new String(answer.body(), StandardCharsets.UTF_8));
    }
    return HttpMessageFactory.createReader(put -> answer.headers().map().forEach((name, values) -> put.accept(name, values.get(0))), answer.body()).toEvent();
  }

  static String make(String name) throws Exception {
    String topic = prefix + "-" + name;
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", addr))) {
      short replicas = Short.parseShort(Objects.requireNonNullElse(System.getenv("INTEROP_REPLICAS"), "1"));
      admin.createTopics(List.of(new NewTopic(topic, 1, replicas))).all().get(WITHIN_S, TimeUnit.SECONDS);
    }
    return topic;
  }

  /** Reads each event in both modes. */
  static void received(String topic, List<CloudEvent> want) throws Exception {
    for (int i = 0; i < want.size(); i++) {
      same("event " + i + " in binary mode", get(topic, "mode=binary&from=" + i), want.get(i));
      same("event " + i + " in structured mode", get(topic, "mode=structured&from=" + i), want.get(i));
    }
  }

  static void overHttp(String name, boolean structured) throws Exception {
    String topic = make(name);
    for (CloudEvent event : events()) {
      post(topic, event, structured);
    }
    received(topic, events());
  }

  static void overKafka() throws Exception {
    for (Encoding mode : Encoding.values()) {
      String topic = make("ce-kafka-" + mode.name().toLowerCase());
      Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", addr, "acks", "all", CloudEventSerializer.ENCODING_CONFIG, mode.name(),
          "key.serializer", StringSerializer.class.getName(), "value.serializer", CloudEventSerializer.class.getName(),
          "interceptor.classes", PartitionKeyExtensionInterceptor.class.getName()));
      if (mode == Encoding.STRUCTURED) {
        settings.put(CloudEventSerializer.EVENT_FORMAT_CONFIG, JsonFormat.CONTENT_TYPE);
      }
      try (KafkaProducer<String, CloudEvent> producer = new KafkaProducer<>(settings)) {
        for (CloudEvent event : events()) {
          producer.send(new ProducerRecord<>(topic, 0, null, event)).get(WITHIN_S, TimeUnit.SECONDS);
        }
      }
      received(topic, events());
    }
    String topic = make("ce-kafka-out");
    for (CloudEvent event : events()) {
      post(topic, event, false);
    }
    try (KafkaConsumer<String, CloudEvent> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", addr,
        "key.deserializer", StringDeserializer.class.getName(), "value.deserializer", CloudEventDeserializer.class.getName()))) {
      TopicPartition all = new TopicPartition(topic, 0);
      consumer.assign(List.of(all));
      consumer.seekToBeginning(List.of(all));
      List<ConsumerRecord<String, CloudEvent>> got = new ArrayList<>();
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(WITHIN_S);
      while (got.size() < events().size()) {
        if (System.nanoTime() > until) {
          throw new AssertionError(got.size() + " of " + events().size() + " records came");
        }
        consumer.poll(Duration.ofSeconds(1)).forEach(got::add);
      }
      for (int i = 0; i < got.size(); i++) {
        if (events().get(i).getData() != null) { // of a record without a value Kafka's consumer asks no deserializer
          same("event " + i + " as a record", got.get(i).value(), events().get(i));
        }
        if (!Objects.equals(got.get(i).key(), events().get(i).getExtension("partitionkey"))) {
          throw new AssertionError("the key of event " + i + " is " + got.get(i).key());
        }
      }
    }
  }
}
