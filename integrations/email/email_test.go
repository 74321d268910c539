package email_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"golang.org/x/net/html"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/integrations/email"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

func TestChannel(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte("\x00" + username + "\x00" + password))
	contract.Channel(t, contract.ChannelSuite{
		Kind: email.Kind(), Secrets: []string{password, encoded},
		Start: func(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			ended := make(chan struct{})
			t.Cleanup(func() { close(ended) })
			behave, can := map[contract.Conduct]func(net.Conn) error{
				contract.Works:    nil,
				contract.TriesNot: func(net.Conn) error { return fault(451, "try again later") },
				contract.Refuses:  func(net.Conn) error { return fault(554, "no such luck") },
				contract.Unclear:  func(conn net.Conn) error { return conn.Close() },
				contract.Hangs:    func(net.Conn) error { <-ended; return nil },
				contract.Floods: func(conn net.Conn) error {
					for {
						if _, err := io.WriteString(conn, "250-and on and on\r\n"); err != nil {
							return err
						}
					}
				},
				contract.Echoes: func(net.Conn) error { return fault(451, password+" "+encoded) },
			}[conduct]
			if !can {
				return contract.Outside{}, false // mail knows no redirects that are not the server's own
			}
			s := (&server{take: behave, loggedOut: conduct == contract.Floods}).start(t, false)
			o := options(t, s)
			if s.loggedOut { // what is written past TLS would be no answer
				o.Encryption, o.Username, o.PasswordEnv = email.None, "", ""
			}
			return contract.Outside{Options: o, Calls: func() (calls []contract.Call) {
				for _, m := range s.taken() {
					l := open(t, m.data)
					key, _, _ := strings.Cut(strings.TrimPrefix(l.header.Get("Message-Id"), "<"), ".")
					visible(t, l.html)
					calls = append(calls, contract.Call{Key: key, Text: l.subject + "\n" + l.text})
				}
				return calls
			}}, true
		},
	})
}

func fault(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text}
}

// options reach the server with a login and STARTTLS.
func options(t *testing.T, s *server) *email.Options {
	t.Helper()
	t.Setenv("MAIL_PASSWORD", password)
	o := email.Kind().New().(*email.Options)
	o.Server, o.From, o.To = s.addr, "Bakewatch <bakewatch@example.com>", []string{"oncall@example.com"}
	o.Username, o.PasswordEnv, o.TLS = username, "MAIL_PASSWORD", &outbound.TLS{CAFile: s.ca}
	return o
}

// send sends a message with these options.
func send(t *testing.T, o *email.Options, m actions.Message) (receipt, log string, err error) {
	t.Helper()
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	notifier, err := o.Notifier("mail", slog.New(slog.NewTextHandler(&text, nil)))
	if err != nil {
		t.Fatal(err)
	}
	receipt, err = notifier.Notify(t.Context(), "42-mail", m)
	return receipt, text.String(), err
}

var message = actions.Message{
	Topic: "ruled", Level: actions.Urgent, Title: "checkout 2.4.0 → 2.3.9 (production)? <b>é</b>\r\nBcc: eve@example.com",
	Lines:   []string{"5xx 4.1 % > limit 1 %", "by <script>alert(1)</script>\nand {{.}} & more", ""},
	Service: "checkout", Environment: "production", Version: "2.4.0", Target: "2.3.9", Owner: "team-checkout", Cluster: "main", Watch: "12",
	At:    time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC),
	Links: map[string]string{"runbook": "https://wiki.example/x?a=1&b=<2>", "<img>": "https://x.example/\"onclick=1", "bad": "javascript:alert(1)"},
	Question: &actions.Asked{
		Needs: map[string]int{"oncall": 2}, Within: rules.Duration(10 * time.Minute), Silence: "keep",
		Answers: []actions.Reply{{Choice: "keep", Command: "bakewatch answer 12 keep"}},
	},
}

func TestAMailReadsWellWithAndWithoutHTML(t *testing.T) {
	s := (&server{}).start(t, false)
	receipt, _, err := send(t, options(t, s), message)
	if err != nil || receipt != "<42-mail.main@example.com>" {
		t.Fatalf("%q, %v", receipt, err)
	}
	got := s.taken()[0]
	l := open(t, got.data)
	if got.from != "bakewatch@example.com" || !slices.Equal(got.to, []string{"oncall@example.com"}) || !got.encrypted || got.user != username {
		t.Errorf("%+v", got)
	}
	for name, want := range map[string]string{
		"From": `"Bakewatch" <bakewatch@example.com>`, "To": "<oncall@example.com>", "Date": "Mon, 23 Nov 2026 01:02:03 +0000",
		"Message-Id": receipt, "In-Reply-To": "<watch-12.main@example.com>", "References": "<watch-12.main@example.com>",
		"Auto-Submitted": "auto-generated", "Importance": "high", "Bcc": "", "User-Agent": "",
	} {
		if value := l.header.Get(name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if l.subject != "Urgent: checkout 2.4.0 → 2.3.9 (production)? <b>é</b>  Bcc: eve@example.com" || l.contentType != "multipart/alternative" {
		t.Errorf("%s: %q", l.contentType, l.subject)
	}
	wantText := `Urgent: checkout 2.4.0 → 2.3.9 (production)? <b>é</b>  Bcc: eve@example.com

5xx 4.1 % > limit 1 %
by <script>alert(1)</script> and {{.}} & more

Needs 2 of oncall within 10m; no answer means keep
keep: bakewatch answer 12 keep

<img>: https://x.example/%22onclick=1
runbook: https://wiki.example/x?a=1&b=<2>

-- 
checkout · production · 2.4.0 → 2.3.9 · team-checkout · 12
`
	if l.text != wantText {
		t.Errorf("the text is\n%s\nwant\n%s", l.text, wantText)
	}
	shown := visible(t, l.html)
	for _, part := range []string{"Urgent:", "<b>é</b>", "<script>alert(1)</script>", "Needs 2 of oncall", "bakewatch answer 12 keep", "2.4.0 → 2.3.9 · team-checkout"} {
		if !strings.Contains(shown, part) {
			t.Errorf("nobody reads %q in %q", part, shown)
		}
	}
}

// visible returns what a mail program shows of HTML; it fails the test for what could do harm.
func visible(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for node := range root.Descendants() {
		switch {
		case node.Type == html.TextNode:
			text.WriteString(node.Data)
		case node.Type == html.ElementNode && slices.Contains([]string{"script", "img", "b", "iframe", "form", "link", "object"}, node.Data):
			t.Errorf("an element %s", node.Data)
		}
		for _, attr := range node.Attr {
			if strings.HasPrefix(attr.Key, "on") || attr.Key == "href" && !strings.HasPrefix(attr.Val, "https://") {
				t.Errorf("an attribute %s=%q", attr.Key, attr.Val)
			}
		}
	}
	return text.String()
}

func TestMessagesOfOneWatchAreOneThread(t *testing.T) {
	s := (&server{}).start(t, false)
	o := options(t, s)
	other := message
	other.Watch = "13"
	for _, m := range []actions.Message{message, message, other, {Title: "of no watch"}} {
		if _, _, err := send(t, o, m); err != nil {
			t.Fatal(err)
		}
	}
	var threads, ids []string
	for _, mail := range s.taken() {
		l := open(t, mail.data)
		threads, ids = append(threads, l.header.Get("References")), append(ids, l.header.Get("Message-Id"))
	}
	if want := []string{"<watch-12.main@example.com>", "<watch-12.main@example.com>", "<watch-13.main@example.com>", ""}; !slices.Equal(threads, want) {
		t.Errorf("%q", threads)
	}
	if ids[0] != ids[1] {
		t.Errorf("a repeat has another id: %q", ids)
	}
}

func TestTheConnectionIsEncryptedAsSaid(t *testing.T) {
	t.Run("from the beginning", func(t *testing.T) {
		s := (&server{}).start(t, true)
		o := options(t, s)
		o.Encryption = email.FullTLS
		if _, _, err := send(t, o, message); err != nil || len(s.taken()) != 1 {
			t.Errorf("%v", err)
		}
	})
	t.Run("not at all, within this machine", func(t *testing.T) {
		s := (&server{loggedOut: true}).start(t, false)
		o := options(t, s)
		o.Encryption, o.Username, o.PasswordEnv = email.None, "", ""
		if _, _, err := send(t, o, message); err != nil || s.taken()[0].encrypted {
			t.Errorf("%v", err)
		}
	})
	t.Run("never less than said", func(t *testing.T) {
		s := (&server{loggedOut: true}).start(t, false)
		_, _, err := send(t, options(t, s), message)
		if actions.Classify(err) != actions.ClassPermanent || !strings.Contains(err.Error(), "offers no STARTTLS") || len(s.taken()) != 0 {
			t.Errorf("%v", err)
		}
	})
	t.Run("only with a server that is known", func(t *testing.T) {
		s := (&server{}).start(t, false)
		o := options(t, s)
		o.TLS = nil
		_, _, err := send(t, o, message)
		if actions.Classify(err) != actions.ClassRetryable || !strings.Contains(err.Error(), "certificate") || len(s.taken()) != 0 {
			t.Errorf("%v", err)
		}
	})
	t.Run("and by its name", func(t *testing.T) {
		s := (&server{}).start(t, false)
		o := options(t, s)
		o.TLS.ServerName = "mail.other.example"
		if _, _, err := send(t, o, message); err == nil || !strings.Contains(err.Error(), "certificate") || len(s.taken()) != 0 {
			t.Errorf("%v", err)
		}
	})
}

func TestALoginIsMadeAsTheServerOffers(t *testing.T) {
	for login, says := range map[string]string{sasl.Plain: "", sasl.Login: "", "CRAM-MD5": "offers no login with a password"} {
		s := (&server{login: login}).start(t, false)
		_, _, err := send(t, options(t, s), message)
		if (says == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), says) || actions.Classify(err) != actions.ClassPermanent) {
			t.Errorf("%s: %v", login, err)
		}
	}
	for _, login := range []string{sasl.Plain, sasl.Login} {
		s := (&server{login: login}).start(t, false)
		o := options(t, s)
		t.Setenv("MAIL_PASSWORD", "wrong-password")
		_, _, err := send(t, o, message)
		if actions.Classify(err) != actions.ClassPermanent || !strings.Contains(err.Error(), "the password is wrong") ||
			strings.Contains(err.Error(), "wrong-password") || strings.Contains(err.Error(), base64.StdEncoding.EncodeToString([]byte("\x00"+username+"\x00wrong-password"))) {
			t.Errorf("%s: %v", login, err)
		}
	}
}

func TestAServersFaultsAreUnderstood(t *testing.T) {
	for name, c := range map[string]struct {
		server *server
		want   actions.Class
		says   string
	}{
		"a sender that is put off":     {&server{greylist: fault(451, "greylisted")}, actions.ClassRetryable, "greylisted"},
		"a sender that is refused":     {&server{greylist: fault(550, "not you")}, actions.ClassPermanent, "not you"},
		"a mailbox that is none":       {&server{refuse: map[string]error{"oncall@example.com": fault(550, "no such user")}}, actions.ClassPermanent, "no such user"},
		"a mailbox that is full now":   {&server{refuse: map[string]error{"oncall@example.com": fault(452, "full")}}, actions.ClassRetryable, "full"},
		"a mail that is put off":       {&server{take: func(net.Conn) error { return fault(450, "busy") }}, actions.ClassRetryable, "busy"},
		"a mail that is refused":       {&server{take: func(net.Conn) error { return fault(554, "spam") }}, actions.ClassPermanent, "spam"},
		"a server that goes away":      {&server{take: func(conn net.Conn) error { return conn.Close() }}, actions.ClassRetryable, ""},
		"a server that shuts down now": {&server{take: func(net.Conn) error { return fault(421, "shutting down") }}, actions.ClassRetryable, "shutting down"},
	} {
		t.Run(name, func(t *testing.T) {
			receipt, _, err := send(t, options(t, c.server.start(t, false)), message)
			if err == nil || receipt != "" || actions.Classify(err) != c.want || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, class %d: %v", receipt, actions.Classify(err), err)
			}
		})
	}
}

func TestOneWrongAddressKeepsNobodyElseFromBeingTold(t *testing.T) {
	s := (&server{refuse: map[string]error{"gone@example.com": fault(550, "no such user"), "full@example.com": fault(452, "full")}}).start(t, false)
	o := options(t, s)
	o.To = []string{"gone@example.com", "Ana <ana@example.com>", "full@example.com"}
	receipt, log, err := send(t, o, message)
	if err != nil || receipt == "" || !slices.Equal(s.taken()[0].to, []string{"ana@example.com"}) {
		t.Fatalf("%q, %v", receipt, err)
	}
	for _, part := range []string{"gone@example.com", "no such user", "full@example.com", "watch=12"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log does not say %q: %s", part, log)
		}
	}
	s.refuse["ana@example.com"] = fault(550, "left")
	if _, _, err := send(t, o, message); actions.Classify(err) != actions.ClassRetryable || !strings.Contains(err.Error(), "nobody may be sent to") {
		t.Errorf("nobody left, one of them for now: %v", err)
	}
}

func TestAServerThatIsNotThereIsTriedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	o := options(t, s)
	o.TLS = nil
	if _, _, err := send(t, o, message); actions.Classify(err) != actions.ClassRetryable {
		t.Errorf("%v", err)
	}
	o.Server = "169.254.169.254:587"
	if _, _, err := send(t, o, message); actions.Classify(err) != actions.ClassPermanent || !strings.Contains(err.Error(), "allow_link_local") {
		t.Errorf("a metadata address: %v", err)
	}
}

func TestAServerThatSaysNothingIsNotWaitedForLonger(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	o := options(t, &server{addr: listener.Addr().String()})
	o.TLS, o.Timeout = nil, rules.Duration(50*time.Millisecond)
	_, _, err = send(t, o, message)
	if actions.Classify(err) != actions.ClassRetryable || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("%v", err)
	}
}

func TestAServerThatDoesNotStopTalkingIsNotHeardToItsEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		for err == nil {
			_, err = io.WriteString(conn, "220-and on and on\r\n")
		}
	}()
	o := options(t, &server{addr: listener.Addr().String()})
	o.TLS = nil
	_, _, err = send(t, o, message)
	if actions.Classify(err) != actions.ClassRetryable || !strings.Contains(err.Error(), "does not stop talking") {
		t.Errorf("%v", err)
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for says, change := range map[string]func(*email.Options){
		"server: \"mail\" is no host:port": func(o *email.Options) { o.Server = "mail" },
		"server: \":587\" is no host:port": func(o *email.Options) { o.Server = ":587" },
		"from: \"bakewatch\" is no mail":   func(o *email.Options) { o.From = "bakewatch" },
		"from: ":                           func(o *email.Options) { o.From = "a@x.org\r\nBcc: b@x.org" },
		"to: nobody":                       func(o *email.Options) { o.To = nil },
		"to: \"x, y@z\" is no mail":        func(o *email.Options) { o.To = []string{"x, y@z"} },
		"write its domain as xn--":         func(o *email.Options) { o.To = []string{"x@bücher.example"} },
		"password_file: missing":           func(o *email.Options) { o.Username = "x" },
		"username: missing":                func(o *email.Options) { o.PasswordEnv = "X" },
		"encryption: the password would":   func(o *email.Options) { o.Username, o.PasswordEnv, o.Encryption = "x", "X", email.None },
		"hello: must be":                   func(o *email.Options) { o.Hello = "a b" },
		"timeout: ":                        func(o *email.Options) { o.Timeout = rules.Duration(time.Hour) },
		"cert_file and key_file belong":    func(o *email.Options) { o.TLS = &outbound.TLS{CertFile: "x"} },
	} {
		o := email.Kind().New().(*email.Options)
		o.Server, o.From, o.To = "mail.example.com:587", "a@example.com", []string{"b@example.com"}
		change(o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q: %v", says, err)
		}
	}
	var field *rules.FieldError
	if err := email.Kind().New().Check(); !errors.As(err, &field) || !strings.Contains(fmt.Sprint(err), "server") {
		t.Errorf("nothing set: %v", err)
	}
}
