import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.scheduler.SchedulerClient;
import software.amazon.awssdk.services.scheduler.model.ConflictException;
import software.amazon.awssdk.services.scheduler.model.FlexibleTimeWindowMode;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException;
import software.amazon.awssdk.services.sqs.model.ReceiptHandleIsInvalidException;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;
import software.amazon.awssdk.services.sts.StsClient;

/** The AWS SDK for Java 2 through scenarios of ../content.go that begin with sqs, scheduler and sts. It compares
 *  checksums by itself. */
public final class Aws {
  static final URI ENDPOINT = URI.create("http://" + System.getenv("INTEROP_HTTP"));
  static final StaticCredentialsProvider KEYS = StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any"));
  static final Duration WITHIN = Duration.ofSeconds(60);
  static String prefix;
  static SqsClient sqs;

  interface Work {
    void run() throws Exception;
  }

  public static void main(String[] args) {
    prefix = args[1];
    sqs = SqsClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(KEYS)
        .httpClientBuilder(UrlConnectionHttpClient.builder()).build();
    System.out.println("VERSION aws-sdk-java " + VersionInfo.SDK_VERSION);
    scenario("sqs-queues", Aws::queues);
    scenario("sqs-messages", Aws::messages);
    scenario("sqs-batches", Aws::batches);
    scenario("sqs-fifo", Aws::fifo);
    scenario("sqs-dead-letters", Aws::deadLetters);
    scenario("scheduler", Aws::schedules);
    scenario("sts", Aws::identity);
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

  static void equal(String what, Object got, Object want) {
    if (!want.equals(got)) {
      throw new AssertionError(what + " is " + got + ", want " + want);
    }
  }

  static String make(String name, Map<QueueAttributeName, String> attributes) {
    return sqs.createQueue(r -> r.queueName(prefix + "-" + name).attributes(attributes)).queueUrl();
  }

  static String arn(String url) {
    return sqs.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.QUEUE_ARN)).attributes().get(QueueAttributeName.QUEUE_ARN);
  }

  static List<Message> take(String url, int count) {
    List<Message> out = new ArrayList<>();
    Instant until = Instant.now().plus(WITHIN);
    while (out.size() < count) {
      if (Instant.now().isAfter(until)) {
        throw new AssertionError(out.size() + " of " + count + " messages came");
      }
      int more = Math.min(10, count - out.size());
      out.addAll(sqs.receiveMessage(r -> r.queueUrl(url).maxNumberOfMessages(more).waitTimeSeconds(5).messageAttributeNames("All")
          .messageSystemAttributeNames(MessageSystemAttributeName.ALL)).messages());
    }
    return out;
  }

  static void queues() {
    String url = make("queues", Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "45"));
    equal("the URL by name", sqs.getQueueUrl(r -> r.queueName(prefix + "-queues")).queueUrl(), url);
    sqs.setQueueAttributes(r -> r.queueUrl(url).attributes(Map.of(QueueAttributeName.DELAY_SECONDS, "1")));
    equal("an attribute", sqs.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.ALL)).attributes().get(QueueAttributeName.DELAY_SECONDS), "1");
    sqs.tagQueue(r -> r.queueUrl(url).tags(Map.of("team", "shop")));
    equal("tags", sqs.listQueueTags(r -> r.queueUrl(url)).tags(), Map.of("team", "shop"));
    equal("the list", sqs.listQueues(r -> r.queueNamePrefix(prefix + "-queues")).queueUrls(), List.of(url));
    sqs.deleteQueue(r -> r.queueUrl(url));
    try {
      sqs.getQueueUrl(r -> r.queueName(prefix + "-queues"));
      throw new AssertionError("a deleted queue has a URL");
    } catch (QueueDoesNotExistException e) {
      equal("the code", e.awsErrorDetails().errorCode(), "AWS.SimpleQueueService.NonExistentQueue");
    }
  }

  static void messages() {
    String url = make("messages", Map.of());
    String body = "Grüße & <tags>, 中文";
    Map<String, MessageAttributeValue> attributes = Map.of(
        "colour", MessageAttributeValue.builder().dataType("String").stringValue("grün").build(),
        "raw", MessageAttributeValue.builder().dataType("Binary").binaryValue(SdkBytes.fromByteArray(new byte[] {0, 1, (byte) 0xff})).build());
    String id = sqs.sendMessage(r -> r.queueUrl(url).messageBody(body).messageAttributes(attributes)).messageId();
    Message m = take(url, 1).get(0);
    equal("the body", m.body(), body);
    equal("the id", m.messageId(), id);
    equal("the attributes", m.messageAttributes(), attributes);
    sqs.changeMessageVisibility(r -> r.queueUrl(url).receiptHandle(m.receiptHandle()).visibilityTimeout(0));
    Message again = take(url, 1).get(0);
    equal("the count", again.attributes().get(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT), "2");
    sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(again.receiptHandle()));
    equal("nothing is left", sqs.receiveMessage(r -> r.queueUrl(url)).messages(), List.of());
    try {
      sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle("nonsense"));
      throw new AssertionError("a receipt of nothing was taken");
    } catch (ReceiptHandleIsInvalidException e) {
      equal("the code", e.awsErrorDetails().errorCode(), "ReceiptHandleIsInvalid");
    }
  }

  static void batches() {
    String url = make("batches", Map.of());
    List<SendMessageBatchRequestEntry> entries = IntStream.range(0, 10)
        .mapToObj(i -> SendMessageBatchRequestEntry.builder().id("m" + i).messageBody("body " + i).build()).collect(Collectors.toList());
    equal("sent", sqs.sendMessageBatch(r -> r.queueUrl(url).entries(entries)).successful().size(), 10);
    List<Message> got = take(url, 10);
    List<DeleteMessageBatchRequestEntry> done = IntStream.range(0, 10)
        .mapToObj(i -> DeleteMessageBatchRequestEntry.builder().id("m" + i).receiptHandle(got.get(i).receiptHandle()).build()).collect(Collectors.toList());
    equal("deleted", sqs.deleteMessageBatch(r -> r.queueUrl(url).entries(done)).successful().size(), 10);
    equal("a bad entry", sqs.sendMessageBatch(r -> r.queueUrl(url).entries(e -> e.id("bad").messageBody("x").delaySeconds(901))).failed().get(0).code(), "InvalidParameterValue");
  }

  static void fifo() {
    String url = make("order.fifo", Map.of(QueueAttributeName.FIFO_QUEUE, "true"));
    for (int i = 0; i < 3; i++) {
      for (String g : List.of("a", "b")) {
        String body = g + i;
        sqs.sendMessage(r -> r.queueUrl(url).messageBody(body).messageGroupId(g).messageDeduplicationId(body));
      }
    }
    Map<String, List<String>> got = new HashMap<>();
    for (int n = 0; n < 6; n++) {
      Message m = take(url, 1).get(0);
      got.computeIfAbsent(m.attributes().get(MessageSystemAttributeName.MESSAGE_GROUP_ID), g -> new ArrayList<>()).add(m.body());
      sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(m.receiptHandle()));
    }
    equal("the order", got, Map.of("a", List.of("a0", "a1", "a2"), "b", List.of("b0", "b1", "b2")));
  }

  static void deadLetters() {
    String dead = make("dead", Map.of());
    String url = make("poisoned", Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "0",
        QueueAttributeName.REDRIVE_POLICY, "{\"deadLetterTargetArn\":\"" + arn(dead) + "\",\"maxReceiveCount\":\"1\"}"));
    sqs.sendMessage(r -> r.queueUrl(url).messageBody("poison"));
    equal("it comes once", take(url, 1).get(0).body(), "poison");
    equal("and no more", sqs.receiveMessage(r -> r.queueUrl(url).waitTimeSeconds(1)).messages(), List.of());
    Message letter = take(dead, 1).get(0);
    equal("the dead letter", letter.body(), "poison");
    sqs.changeMessageVisibility(r -> r.queueUrl(dead).receiptHandle(letter.receiptHandle()).visibilityTimeout(0));
    sqs.startMessageMoveTask(r -> r.sourceArn(arn(dead)));
    equal("it is back", take(url, 1).get(0).body(), "poison");
  }

  static void schedules() {
    SchedulerClient scheduler = SchedulerClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(KEYS)
        .httpClientBuilder(UrlConnectionHttpClient.builder()).build();
    String url = make("scheduled", Map.of());
    String name = prefix + "-soon";
    Work make = () -> scheduler.createSchedule(r -> r.name(name).scheduleExpression("rate(1 minute)").flexibleTimeWindow(w -> w.mode(FlexibleTimeWindowMode.OFF))
        .target(t -> t.arn(arn(url)).roleArn("arn:aws:iam::123456789012:role/any").input("run")));
    try {
      make.run();
      make.run();
      throw new AssertionError("a schedule was made twice");
    } catch (ConflictException e) {
      equal("the schedule", scheduler.getSchedule(r -> r.name(name)).scheduleExpression(), "rate(1 minute)");
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    scheduler.deleteSchedule(r -> r.name(name));
    equal("no schedules", scheduler.listSchedules(r -> r.namePrefix(name)).schedules(), List.of());
  }

  static void identity() {
    StsClient sts = StsClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(KEYS)
        .httpClientBuilder(UrlConnectionHttpClient.builder()).build();
    equal("the account", sts.getCallerIdentity().account(), "123456789012");
  }
}
