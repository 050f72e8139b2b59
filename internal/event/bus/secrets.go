package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"ottla/internal/event/webhook"
)

// Sealer keeps secrets closed (event/seal).
type Sealer interface {
	Seal(ctx context.Context, plain []byte, about string) (string, error)
	Open(ctx context.Context, sealed, about string) ([]byte, error)
}

// PrintBegin begins the print of a secret.
const PrintBegin = "sha256:"

// PrintOf is what is told of a secret: who has it knows whether it is that one.
func PrintOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return PrintBegin + hex.EncodeToString(sum[:6])
}

// Prints are what is told of a target's secrets. Of one that is kept it is its first
// word, the second is the secret, sealed.
func (t *Target) Prints() (out []string) {
	for _, s := range t.Secrets {
		out = append(out, printOf(s))
	}
	return out
}

func printOf(kept string) string {
	print, _, _ := strings.Cut(kept, " ")
	return print
}

// errNoSecret says that a definition has something else there.
var errNoSecret = errors.New("they are not sealed by this cluster")

// about is what the secrets of a target are sealed for.
func about(rule RuleRef, id string) string { return rule.Full().Key() + "/" + id }

// sealSecrets closes the secrets that a target is told; a print stands for one that
// the target has already, as old has them.
func sealSecrets(ctx context.Context, by Sealer, rule RuleRef, t *Target, old []string) error {
	kept := make([]string, 0, len(t.Secrets))
	for _, secret := range t.Secrets {
		if strings.HasPrefix(secret, PrintBegin) {
			at := slices.IndexFunc(old, func(o string) bool { return printOf(o) == printOf(secret) })
			if at < 0 {
				return invalid("secrets", "the target has none whose print is %s: tell the secret itself", printOf(secret))
			}
			kept = append(kept, old[at])
			continue
		}
		if _, err := webhook.ParseKey(secret); err != nil {
			return because("secrets", err)
		}
		if by == nil {
			return invalid("secrets", "this node keeps none")
		}
		sealed, err := by.Seal(ctx, []byte(secret), about(rule, t.ID))
		if err != nil {
			return unavailable("seal a secret", err)
		}
		kept = append(kept, PrintOf(secret)+" "+sealed)
	}
	if t.Secrets = kept; len(kept) == 0 {
		t.Secrets = nil
	}
	return nil
}

// openSecrets gives the secrets of a target.
func (s *Service) openSecrets(ctx context.Context, rule RuleRef, t *Target) (out []string, err error) {
	for _, kept := range t.Secrets {
		_, sealed, ok := strings.Cut(kept, " ")
		if !ok || s.o.Sealer == nil {
			return nil, unavailable("the secrets of target "+t.ID, errNoSecret)
		}
		plain, err := s.o.Sealer.Open(ctx, sealed, about(rule, t.ID))
		if err != nil {
			return nil, unavailable("the secrets of target "+t.ID, err)
		}
		out = append(out, string(plain))
	}
	return out, nil
}
