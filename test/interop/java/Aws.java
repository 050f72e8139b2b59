import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.eventbridge.model.InvalidEventPatternException;
import software.amazon.awssdk.services.eventbridge.model.PutEventsRequestEntry;
import software.amazon.awssdk.services.eventbridge.model.PutEventsResponse;
import software.amazon.awssdk.services.eventbridge.model.ResourceNotFoundException;
import software.amazon.awssdk.services.scheduler.SchedulerClient;
import software.amazon.awssdk.services.scheduler.model.ConflictException;
import software.amazon.awssdk.services.scheduler.model.FlexibleTimeWindowMode;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.NotFoundException;
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

/** The AWS SDK for Java 2 through scenarios of ../content.go that begin with sqs, scheduler, sts, eventbridge and sns. It compares
 *  checksums by itself. */
public final class Aws {
  static final URI ENDPOINT = URI.create("http://" + System.getenv("INTEROP_HTTP"));
  static final StaticCredentialsProvider KEYS = StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any"));
  static final Duration WITHIN = Duration.ofSeconds(60), RESTART = Duration.ofMinutes(4);
  static final BufferedReader STDIN = new BufferedReader(new InputStreamReader(System.in));
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
    scenario("sqs-restart", Aws::restart);
    scenario("scheduler", Aws::schedules);
    scenario("sts", Aws::identity);
    scenario("eventbridge", Aws::buses);
    scenario("sns", Aws::topics);
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

  /** Asks for a restart of the broker; the future is done when it serves again. */
  static CompletableFuture<Void> askRestart() {
    System.out.println("RESTART");
    return CompletableFuture.runAsync(() -> {
      try {
        STDIN.readLine();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  /** What is sent, received and deleted while the broker restarts. Calls that fail meanwhile are calls of which nobody
   *  knows whether they were done. */
  static final class Flow {
    final String url = make("flow", Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "15"));
    final Set<String> stored = new HashSet<>(), seen = new HashSet<>(), deleted = new HashSet<>();
    int next;

    void send() {
      String body = String.valueOf(next++);
      try {
        sqs.sendMessage(r -> r.queueUrl(url).messageBody(body));
        stored.add(body);
      } catch (SdkException e) {
        // nobody knows
      }
    }

    void receive() {
      try {
        for (Message m : sqs.receiveMessage(r -> r.queueUrl(url).maxNumberOfMessages(10).waitTimeSeconds(1)).messages()) {
          equal("a deleted message comes again: " + m.body(), deleted.contains(m.messageId()), false);
          seen.add(m.body());
          sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(m.receiptHandle()));
          deleted.add(m.messageId());
        }
      } catch (SdkException e) {
        // it is asked again
      }
    }
  }

  static void restart() {
    String url = make("restart", Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "900"));
    List<SendMessageBatchRequestEntry> entries = IntStream.range(0, 10)
        .mapToObj(i -> SendMessageBatchRequestEntry.builder().id("m" + i).messageBody("held").build()).collect(Collectors.toList());
    sqs.sendMessageBatch(r -> r.queueUrl(url).entries(entries));
    List<Message> held = take(url, 10);
    Flow flow = new Flow();
    Instant until = Instant.now().plus(RESTART);
    for (int i = 0; i < 2; i++) {
      CompletableFuture<Void> back = askRestart();
      while (!back.isDone() && Instant.now().isBefore(until)) {
        flow.send();
        flow.receive();
      }
      equal("the broker is back", back.isDone(), true);
    }
    while (!flow.seen.containsAll(flow.stored) || left(flow.url) > 0) {
      if (Instant.now().isAfter(until)) {
        flow.stored.removeAll(flow.seen);
        throw new AssertionError("these did not come: " + flow.stored + ", and the queue has " + left(flow.url));
      }
      flow.receive();
    }
    held.forEach(m -> sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(m.receiptHandle())));
    equal("what is left", left(url), 0);
  }

  /** How many messages a queue has, waiting or in flight. */
  static int left(String url) {
    return sqs.getQueueAttributes(r -> r.queueUrl(url).attributeNames(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES,
        QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE)).attributes().values().stream().mapToInt(Integer::parseInt).sum();
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

  static void buses() {
    EventBridgeClient events = EventBridgeClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(KEYS)
        .httpClientBuilder(UrlConnectionHttpClient.builder()).build();
    String url = make("events", Map.of()), queue = arn(url);
    String bus = queue.substring(queue.lastIndexOf(':') + 1) + "-bus", pattern = "{\"detail\":{\"total\":[{\"numeric\":[\">=\",100]}]}}";
    events.createEventBus(r -> r.name(bus));
    events.putRule(r -> r.eventBusName(bus).name("big").eventPattern(pattern));
    equal("targets that failed", events.putTargets(r -> r.eventBusName(bus).rule("big").targets(t -> t.id("1").arn(queue).inputPath("$.detail"))).failedEntryCount(), 0);
    List<PutEventsRequestEntry> entries = List.of("{\"total\":1}", "{\"total\":100}", "{no").stream()
        .map(d -> PutEventsRequestEntry.builder().eventBusName(bus).source("shop").detailType("Placed").detail(d).build()).collect(Collectors.toList());
    PutEventsResponse put = events.putEvents(r -> r.entries(entries));
    equal("entries that failed", put.failedEntryCount(), 1);
    equal("the error", put.entries().get(2).errorCode(), "MalformedDetail");
    Message got = take(url, 1).get(0);
    equal("the event", got.body(), "{\"total\":100}");
    sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(got.receiptHandle()));
    equal("the pattern", events.describeRule(r -> r.eventBusName(bus).name("big")).eventPattern(), pattern);
    try {
      events.putRule(r -> r.eventBusName(bus).name("big").eventPattern("{\"source\":\"x\"}"));
      throw new AssertionError("a pattern that is none was taken");
    } catch (InvalidEventPatternException e) {
      equal("the code", e.awsErrorDetails().errorCode(), "InvalidEventPatternException");
    }
    try {
      events.describeRule(r -> r.eventBusName(bus).name("none"));
      throw new AssertionError("a rule that is not there was described");
    } catch (ResourceNotFoundException e) {
      equal("the code", e.awsErrorDetails().errorCode(), "ResourceNotFoundException");
    }
  }

  static void topics() {
    SnsClient sns = SnsClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(KEYS)
        .httpClientBuilder(UrlConnectionHttpClient.builder()).build();
    String url = make("sns", Map.of()), queue = arn(url);
    String topic = sns.createTopic(r -> r.name(queue.substring(queue.lastIndexOf(':') + 1))).topicArn();
    String sub = sns.subscribe(r -> r.topicArn(topic).protocol("sqs").endpoint(queue)
        .attributes(Map.of("FilterPolicy", "{\"shop\":[\"north\"]}", "RawMessageDelivery", "true"))).subscriptionArn();
    for (String shop : List.of("south", "north")) {
      sns.publish(r -> r.topicArn(topic).message("from the " + shop).messageAttributes(Map.of("shop",
          software.amazon.awssdk.services.sns.model.MessageAttributeValue.builder().dataType("String").stringValue(shop).build())));
    }
    Message got = take(url, 1).get(0);
    equal("the message", got.body(), "from the north");
    sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(got.receiptHandle()));
    equal("the subscription", sns.listSubscriptionsByTopic(r -> r.topicArn(topic)).subscriptions().get(0).subscriptionArn(), sub);
    sns.unsubscribe(r -> r.subscriptionArn(sub));
    sns.deleteTopic(r -> r.topicArn(topic));
    try {
      sns.publish(r -> r.topicArn(topic).message("x"));
      throw new AssertionError("a topic that is not there took a message");
    } catch (NotFoundException e) {
      equal("the code", e.awsErrorDetails().errorCode(), "NotFound");
    }
  }

  static void identity() {
    StsClient sts = StsClient.builder().endpointOverride(ENDPOINT).region(Region.US_EAST_1).credentialsProvider(KEYS)
        .httpClientBuilder(UrlConnectionHttpClient.builder()).build();
    equal("the account", sts.getCallerIdentity().account(), "123456789012");
  }
}
