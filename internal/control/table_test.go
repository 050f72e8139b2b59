package control

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// machineCommands are the commands that the controller's Step knows, read from
// its source: the one list that cannot be forgotten.
func machineCommands(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../controller/controller.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.TypeSwitchStmt)
		if !ok {
			return true
		}
		for _, clause := range s.Body.List {
			for _, e := range clause.(*ast.CaseClause).List {
				if id, ok := e.(*ast.Ident); ok && id.IsExported() {
					names = append(names, id.Name)
				}
			}
		}
		return false
	})
	if len(names) < 17 {
		t.Fatalf("only %d commands found in the controller's Step: %v", len(names), names)
	}
	return names
}

func TestEveryCommandOfTheControllerTravels(t *testing.T) {
	want := machineCommands(t)
	var have []string
	for _, k := range kinds {
		have = append(have, k.name)
	}
	for _, name := range want {
		if !slices.Contains(have, name) {
			t.Errorf("the controller has the command %s, and the table in table.go has not: other nodes cannot give it", name)
		}
	}
	for _, name := range have {
		if !slices.Contains(want, name) {
			t.Errorf("table.go has %s, which is no command of the controller", name)
		}
	}
	if len(byName) != len(kinds) || len(byType) != len(kinds) {
		t.Errorf("%d commands, %d names, %d types", len(kinds), len(byName), len(byType))
	}
}

// filler fills any value of our plain types with chance.
type filler struct{ *rand.Rand }

func (f filler) fill(v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(f.Int64N(1<<33), f.Int64N(1e9)).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(int64(f.Uint64()) >> (64 - v.Type().Bits()))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.Uint64() >> (64 - v.Type().Bits()))
	case reflect.String:
		v.SetString([]string{"", "orders", "a\"<b>&\u2028é", "line\nfeed"}[f.IntN(4)])
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Slice:
		if n := f.IntN(4); n < 3 { // else nil, which is another thing than empty
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		if n := f.IntN(4); n < 3 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				f.fill(key)
				f.fill(value)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Pointer:
		if f.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Tag.Get("json") != "-" {
				f.fill(v.Field(i))
			}
		}
	default:
		panic("a command or reply has a field of kind " + v.Kind().String() + ", which does not travel: " + v.Type().String())
	}
}

// Whatever a command or a reply holds comes out as it went in, nil and empty
// told apart.
func TestCommandsAndRepliesComeOutAsTheyWentIn(t *testing.T) {
	f := filler{rand.New(rand.NewPCG(4, 8))}
	for i := range kinds {
		k := &kinds[i]
		for range 200 {
			cmd := reflect.New(k.command).Elem()
			f.fill(cmd)
			req, err := encodeCommand(k, cmd.Interface(), 1)
			if err != nil {
				t.Fatalf("%s: %v", k.name, err)
			}
			var carried own.CommandRequest
			if err := carried.ReadFrom(req.AppendTo(nil)); err != nil {
				t.Fatalf("%s: %v", k.name, err)
			}
			got, back, err := decodeCommand(&carried)
			if err != nil || got != k || !reflect.DeepEqual(back, cmd.Interface()) {
				t.Fatalf("%s: %+v comes out as %+v (%v)", k.name, cmd.Interface(), back, err)
			}
			var reply any
			if k.reply != nil {
				v := reflect.New(k.reply).Elem()
				f.fill(v)
				reply = v.Interface()
			}
			replyRoundTrip(t, k, reply)
		}
	}
}

func replyRoundTrip(t *testing.T, k *kind, reply any) {
	t.Helper()
	var resp, carried own.CommandResponse
	encodeReply(&resp, k, reply, nil)
	if err := carried.ReadFrom(resp.AppendTo(nil)); err != nil {
		t.Fatalf("%s: %v", k.name, err)
	}
	back, err := decodeReply(&carried, k)
	if err != nil || !reflect.DeepEqual(back, reply) {
		t.Fatalf("the reply of %s %+v comes out as %+v (%v)", k.name, reply, back, err)
	}
}

func TestRefusalsComeOutAsTheyWentIn(t *testing.T) {
	k := byName["DeleteTopics"]
	for _, refusal := range []error{
		wire.NotController, wire.TopicDeletionDisabled, wire.Errorf(wire.PolicyViolation, "not on a Sunday"),
		wire.Errorf(wire.UnknownServerError, "odd"),
	} {
		var resp own.CommandResponse
		encodeReply(&resp, k, nil, refusal)
		_, got := decodeReply(&resp, k)
		if wire.CodeOf(got) != wire.CodeOf(refusal) || wire.MessageOf(got) != wire.MessageOf(refusal) {
			t.Errorf("%v comes out as %v", refusal, got)
		}
	}
	var resp own.CommandResponse
	encodeReply(&resp, k, 7, nil)
	if _, err := decodeReply(&resp, k); wire.CodeOf(err) != wire.UnknownServerError {
		t.Errorf("a reply of the wrong type: %v", err)
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		req  own.CommandRequest
		want wire.Code
	}{
		"a later release's":   {own.CommandRequest{Kind: "Split"}, wire.UnsupportedVersion},
		"no JSON":             {own.CommandRequest{Kind: "CreateTopics", Body: []byte("{")}, wire.InvalidRequest},
		"another type":        {own.CommandRequest{Kind: "CreateTopics", Body: []byte(`{"Topics": 7}`)}, wire.InvalidRequest},
		"out of an int32":     {own.CommandRequest{Kind: "AdmitNode", Body: []byte(`{"NodeID": 9999999999}`)}, wire.InvalidRequest},
		"nothing at all":      {own.CommandRequest{Kind: "Rebalance"}, wire.InvalidRequest},
		"deep as the Mariana": {own.CommandRequest{Kind: "Rebalance", Body: slices.Repeat([]byte("["), 1<<16)}, wire.InvalidRequest},
	} {
		if _, _, err := decodeCommand(&tc.req); wire.CodeOf(err) != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want.Name())
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	random := filler{rand.New(rand.NewPCG(1, 1))}
	for i := range kinds {
		cmd := reflect.New(kinds[i].command).Elem()
		random.fill(cmd)
		req, err := encodeCommand(&kinds[i], cmd.Interface(), 1)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(req.Kind, req.Body)
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		k, cmd, err := decodeCommand(&own.CommandRequest{Kind: name, Body: body})
		if err != nil {
			return
		}
		again, err := encodeCommand(k, cmd, 1)
		if err != nil {
			t.Fatalf("%s %q decodes to what cannot be encoded: %v", name, body, err)
		}
		if _, back, err := decodeCommand(again); err != nil || !reflect.DeepEqual(back, cmd) {
			t.Fatalf("%+v comes back as %+v (%v)", cmd, back, err)
		}
	})
}
