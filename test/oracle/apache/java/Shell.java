import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.apache.kafka.common.utils.Exit;

/**
 * Runs main methods of Kafka's tools one after the other in one JVM, each as if
 * it had one of its own: with its own standard input, output and error, and an
 * exit that ends nothing but it.
 *
 * A call comes as: number of texts, then the texts: class, standard input,
 * arguments. The answer is: exit status, output, error. All numbers are of four
 * bytes, all texts are a number of bytes and the bytes.
 */
public final class Shell {
    /** The call that a thread works for; threads inherit it from who starts them. */
    private static final InheritableThreadLocal<Call> NOW = new InheritableThreadLocal<>();

    private Shell() { }

    private static final class Call {
        final InputStream in;
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final CompletableFuture<Integer> exit = new CompletableFuture<>();
        final List<Runnable> hooks = new ArrayList<>();

        Call(byte[] in) {
            this.in = new ByteArrayInputStream(in);
        }
    }

    /** Writes to the output or error of the call that the thread works for. */
    private static final class Split extends OutputStream {
        private final boolean err;

        Split(boolean err) {
            this.err = err;
        }

        private OutputStream to() {
            Call call = NOW.get();
            if (call == null) {
                return OutputStream.nullOutputStream();
            }
            return err ? call.err : call.out;
        }

        @Override
        public void write(int b) throws IOException {
            to().write(b);
        }

        @Override
        public void write(byte[] b, int from, int length) throws IOException {
            to().write(b, from, length);
        }
    }

    /** Reads the input of the call that the thread works for. */
    private static final class Joined extends InputStream {
        private InputStream from() {
            Call call = NOW.get();
            return call == null ? InputStream.nullInputStream() : call.in;
        }

        @Override
        public int read() throws IOException {
            return from().read();
        }

        @Override
        public int read(byte[] b, int at, int length) throws IOException {
            return from().read(b, at, length);
        }

        @Override
        public int available() throws IOException {
            return from().available();
        }
    }

    public static void main(String[] args) throws Exception {
        DataInputStream asked = new DataInputStream(System.in);
        DataOutputStream answers = new DataOutputStream(System.out);
        System.setIn(new Joined());
        System.setOut(new PrintStream(new Split(false), true));
        System.setErr(new PrintStream(new Split(true), true));
        Exit.setExitProcedure(Shell::exit);
        Exit.setHaltProcedure(Shell::exit);
        Exit.setShutdownHookAdder((name, hook) -> NOW.get().hooks.add(hook));
        while (true) {
            byte[][] texts;
            try {
                texts = new byte[asked.readInt()][];
            } catch (EOFException end) {
                Runtime.getRuntime().halt(0);
                return;
            }
            for (int i = 0; i < texts.length; i++) {
                texts[i] = asked.readNBytes(asked.readInt());
            }
            answer(answers, run(texts));
        }
    }

    private static void answer(DataOutputStream to, Call call) throws IOException {
        to.writeInt(call.exit.join());
        for (ByteArrayOutputStream text : List.of(call.out, call.err)) {
            byte[] bytes = text.toByteArray();
            to.writeInt(bytes.length);
            to.write(bytes);
        }
        to.flush();
    }

    private static Call run(byte[][] texts) throws InterruptedException {
        Call call = new Call(texts[1]);
        String[] args = new String[texts.length - 2];
        for (int i = 0; i < args.length; i++) {
            args[i] = new String(texts[i + 2]);
        }
        start(call, "main", () -> main(call, new String(texts[0]), args));
        call.exit.join();
        for (Runnable hook : call.hooks) {
            start(call, "hook", hook).join(10_000);
        }
        return call;
    }

    private static Thread start(Call call, String name, Runnable what) {
        Thread thread = new Thread(() -> {
            NOW.set(call);
            what.run();
        }, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void main(Call call, String name, String[] args) {
        try {
            Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
            call.exit.complete(0);
        } catch (InvocationTargetException thrown) {
            System.err.print("Exception in thread \"main\" ");
            thrown.getCause().printStackTrace();
            call.exit.complete(1);
        } catch (ReflectiveOperationException wrong) {
            wrong.printStackTrace();
            call.exit.complete(1);
        }
    }

    /** Ends the call, and does not return, as an exit does not. */
    private static void exit(int status, String message) {
        NOW.get().exit.complete(status);
        while (true) {
            try {
                Thread.sleep(Long.MAX_VALUE);
            } catch (InterruptedException again) {
                // There is nothing to go on with.
            }
        }
    }
}
