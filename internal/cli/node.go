package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/config"
	"ottla/internal/datadir"
	"ottla/internal/event/outbound"
	"ottla/internal/server"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// nodeFlags are what dev and serve share.
type nodeFlags struct {
	data, listen, advertise, http string
	configFile                    string
	set                           []string
	logFormat, logLevel           string
	adopt, insecure               bool
	allowTargets                  []string
	functions                     string
	cluster                       clusterFlags
	level                         *slog.LevelVar // made by logger
}

// layers puts together the settings that a node is started with: the
// command's defaults, the file, the environment, the flags.
func (n *nodeFlags) layers(command string, defaults map[string]string) (*config.Static, *config.Report, error) {
	layers := []config.Layer{config.Defaults(command, defaults)}
	if n.configFile != "" {
		text, err := os.ReadFile(n.configFile)
		if err != nil {
			return nil, nil, fail.New(fail.Failed, "cannot read the settings file", err.Error(), "check the path given with --config")
		}
		file, err := config.File(n.configFile, text)
		if err != nil {
			return nil, nil, settingsFailure(err)
		}
		layers = append(layers, file)
	}
	layers = append(layers, config.Environment(withoutToken(os.Environ())))
	own, err := n.flagLayer()
	if err != nil {
		return nil, nil, err
	}
	layers = append(layers, own)
	flags, err := config.Flags(n.set)
	if err != nil {
		return nil, nil, settingsFailure(err)
	}
	static, report, err := config.Load(append(layers, flags)...)
	if err != nil {
		return nil, report, settingsFailure(err)
	}
	return static, report, nil
}

// flagLayer turns --data, --listen, --advertise and --http into the settings
// they stand for, so that all of them have one meaning and one origin.
func (n *nodeFlags) flagLayer() (config.Layer, error) {
	values := map[string]string{}
	if n.data != "" {
		values["log.dirs"] = n.data
	}
	n.cluster.settings(values)
	if len(n.allowTargets) > 0 {
		values["outbound.allow.targets"] = strings.Join(n.allowTargets, ",")
	}
	if n.functions != "" {
		values["functions.file"] = n.functions
	}
	for setting, address := range map[string]string{"listeners": n.listen, "advertised.listeners": n.advertise} {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return config.Layer{}, fail.Usagef("%s: want HOST:PORT (%v)", address, err)
		}
		values[setting] = "PLAINTEXT://" + address
	}
	switch n.http {
	case "":
	case "off":
		values["http.listen"] = ""
	default:
		values["http.listen"] = n.http
	}
	return config.Defaults("flags", values), nil
}

func settingsFailure(err error) error {
	var refused *config.RefusedError
	if errors.As(err, &refused) {
		return &fail.Failure{Code: fail.Usage, What: "some settings cannot be kept", Why: refused.Error(), Cause: err}
	}
	return &fail.Failure{Code: fail.Usage, What: "the settings are wrong", Why: err.Error(),
		Next: "docs/configuration.md lists every setting with its values", Cause: err}
}

// serverOptions resolves the settings into what the server needs.
func (n *nodeFlags) serverOptions(static *config.Static, logger *slog.Logger) (server.Options, error) {
	o := server.Options{
		FS: vfs.NewOS(), NodeID: -1, Static: static, Now: time.Now, Logger: logger, Version: ask.Version,
		VerifyAge: server.DefaultVerifyAge, Adopt: n.adopt, Level: n.level,
	}
	view := &config.View{Static: static}
	if dirs, ok := static.Get("log.dirs"); ok && dirs != "" {
		for d := range strings.SplitSeq(dirs, ",") {
			o.Dirs = append(o.Dirs, strings.TrimSpace(d))
		}
	}
	if id, ok := static.Get("node.id"); ok {
		if v, err := strconv.ParseInt(id, 10, 32); err == nil && v >= 0 {
			o.NodeID = int32(v)
		}
	}
	o.ClusterID, _ = static.Get("cluster.id")
	o.Reserve = view.Int(nil, "disk.reserve.bytes")
	o.HTTP = view.String(nil, "http.listen")
	listen, advertised, err := static.Listeners()
	if err != nil {
		return o, settingsFailure(err)
	}
	for _, l := range listen {
		sl := server.Listener{Name: l.Name, Addr: l.HostPort()}
		for _, a := range advertised {
			if a.Name == l.Name {
				sl.AdvertiseHost, sl.AdvertisePort = a.Host, int32(a.Port)
			}
		}
		o.Listen = append(o.Listen, sl)
	}
	if err := n.cluster.options(&o); err != nil {
		return o, err
	}
	if _, err := outbound.NewGuard(outbound.GuardOptions{Allow: n.allowTargets}); err != nil {
		return o, fail.Usagef("--allow-targets: %v", err)
	}
	o.Insecure = n.insecure
	o.LoopbackTargets = n.insecure && loopbackOnly(o) == nil || n.cluster.ofDev > 0
	if !n.insecure {
		if err := loopbackOnly(o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// loopbackOnly refuses to open a port without login to other machines.
func loopbackOnly(o server.Options) error {
	addresses := []string{o.HTTP}
	for _, l := range o.Listen {
		addresses = append(addresses, l.Addr)
	}
	for _, a := range addresses {
		if a == "" {
			continue
		}
		host, _, err := net.SplitHostPort(a)
		if err != nil {
			return fail.Usagef("%s: want HOST:PORT (%v)", a, err)
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return fail.New(fail.Usage, "refused to listen on "+a,
				"other machines could reach it, and there is no login yet",
				"listen on 127.0.0.1, or add --insecure where the network is trusted")
		}
	}
	return nil
}

// logger makes the log, on standard error.
func (n *nodeFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	n.level = new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(n.logLevel)); err != nil {
		return nil, fail.Usagef("--log-level %s is not known: it takes debug, info, warn or error", n.logLevel)
	}
	n.level.Set(level)
	o := &slog.HandlerOptions{Level: n.level}
	switch n.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fail.Usagef("--log-format %s is not known: it takes text or json", n.logFormat)
}

// run starts a node, says so, and stops it when ctx ends.
func run(ctx context.Context, o server.Options, ready func(*server.Server)) error {
	node, err := server.Start(ctx, o)
	if err != nil {
		return startFailure(err)
	}
	ready(node)
	select {
	case <-ctx.Done():
	case err := <-node.Failed():
		_ = node.Close() // it cannot stop cleanly, and the reason is known
		next := "look after the disk, then start it again"
		if wire.CodeOf(err) == wire.BrokerIDNotRegistered {
			next = "" // it was removed, and the reason says what to do
		}
		return fail.New(fail.Failed, "the node cannot go on", err.Error(), next)
	}
	if err := node.Close(); err != nil {
		return fail.New(fail.Failed, "the node did not stop cleanly", err.Error(), "the next start recovers what is needed")
	}
	return nil
}

// readyLine is the one line that programs wait for.
func readyLine(w io.Writer, node *server.Server) {
	http := node.HTTPAddr()
	if http == "" {
		http = "off"
	}
	fmt.Fprintf(w, "ready kafka=%s http=%s\n", node.KafkaAddr(), http)
}

func startFailure(err error) error {
	var busy *server.BusyError
	var refused *datadir.Refused
	switch {
	case errors.As(err, &busy):
		return fail.New(fail.Failed, busy.Error(), "", "stop it, or choose another address with --listen (Kafka) or --http")
	case errors.As(err, &refused):
		return dirFailure(refused, err)
	}
	return &fail.Failure{Code: fail.Failed, What: "the node did not start", Why: err.Error(), Cause: err}
}

// dirFailure tells why a data directory was not taken; for Kafka's own, how its
// logs come over.
func dirFailure(r *datadir.Refused, err error) error {
	why := r.Path + " " + r.Reason
	if r.Cause != nil {
		why += ": " + r.Cause.Error()
	}
	next := r.Advice
	if r.Kind == datadir.KafkaData {
		into := strings.TrimSuffix(r.Path, "/") + "-ottla"
		next = fmt.Sprintf("stop Kafka, bring its logs into a new directory with \"ottla log import %s --data %s\", and serve that", r.Path, into)
	}
	return &fail.Failure{Code: fail.Failed, What: "the data directory cannot be used", Why: why, Next: next, Cause: err}
}

// stateDir is the user's folder for what programs keep between runs.
func stateDir() (string, error) {
	if d := os.Getenv("XDG_STATE_HOME"); d != "" {
		return filepath.Join(d, "ottla"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fail.New(fail.Failed, "there is no folder for the data", err.Error(), "name one with --data")
	}
	return filepath.Join(home, ".local", "state", "ottla"), nil
}
