// tls/ssl.h and OTP's own `ssl` application, each as server and as client, in both versions: packet
// modes, active modes, half close, new keys, upgrade and downgrade.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/tcp_connect.h"
#include "tests/testlib/otp_node.h"
#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

using testlib::CertFiles;
using testlib::OtpNode;

base::Buffer BufferOf(std::string_view text) {
  base::Buffer buffer;
  buffer.Append(text);
  return buffer;
}

class SslOtpTest : public SslPair {
 protected:
  SslOtpTest() {
    otp_.Eval("{ok, _} = application:ensure_all_started(ssl)");
    otp_.Eval("logger:set_primary_config(level, error)");
    otp_.Eval(fmt::format(
        "Opts = [binary, {{certfile, \"{}\"}}, {{keyfile, \"{}\"}}, {{cacertfile, \"{}\"}}, "
        "{{verify, verify_peer}}, {{versions, ['{}']}}]",
        files_.cert, files_.key, certs_.ca(), VersionName(GetParam())));
  }

  // OTP is bound to S, we to client_.
  void WeConnect(const std::string& otp_options, SocketSetup setup) {
    const std::string port = otp_.Eval(fmt::format(
        "{{ok, L}} = ssl:listen(0, [{{ip, {{127,0,0,1}}}}, {{fail_if_no_peer_cert, true}}, "
        "{{reuseaddr, true}}, {} | Opts]), {{ok, {{_, Port}}}} = ssl:sockname(L), Port",
        otp_options));
    otp_.Post("{ok, H} = ssl:transport_accept(L, 30000), {ok, S} = ssl:handshake(H, 30000), ok");
    Options options = OptionsFor(Role::kClient);
    options.trust.server_name = "otp.example";
    auto socket = ssl_->Connect("127.0.0.1", static_cast<uint16_t>(std::stoi(port)), options,
                                std::move(setup));
    ASSERT_TRUE(socket.ok()) << socket.status() << otp_.Log();
    client_ = *std::move(socket);
  }
  // OTP is bound to S, we to server_.
  void OtpConnects(const std::string& otp_options, SocketSetup setup) {
    ListenAt();
    auto accepted = Accept(std::move(setup));
    otp_.Post(fmt::format(
        "{{ok, S}} = ssl:connect({{127,0,0,1}}, {}, [{{server_name_indication, \"b.example\"}}, "
        "{} | Opts], 30000), ok",
        listener_->port(), otp_options));
    auto socket = accepted.get();
    ASSERT_TRUE(socket.ok()) << socket.status() << otp_.Log();
    server_ = *std::move(socket);
  }

  CertFiles files_ = certs_.Node("otp@otp.example");
  OtpNode otp_{{}};
};
INSTANTIATE_TEST_SUITE_P(Versions, SslOtpTest, kBothVersions, VersionText);

TEST_P(SslOtpTest, PacketModesMeet) {
  struct {
    Packet ours;
    const char* otp;
    const char* text;
  } modes[] = {
      {Packet::k1, "1", "one"},   {Packet::k2, "2", "two"},           {Packet::k4, "4", "four"},
      {Packet::kRaw, "0", "raw"}, {Packet::kLine, "line", "line\\n"},
  };
  WeConnect("{active, false}", {});
  for (const auto& mode : modes) {
    EXPECT_TRUE(client_->SetOpts({.packet = mode.ours}).ok());
    EXPECT_EQ(otp_.Eval(fmt::format("ssl:setopts(S, [{{packet, {}}}])", mode.otp)), "ok");
    const std::string text = mode.ours == Packet::kLine ? "line\n" : mode.text;
    EXPECT_TRUE(client_->Send(text).ok());
    EXPECT_EQ(otp_.Eval("ssl:recv(S, 0, 30000)"), fmt::format("{{ok,<<\"{}\">>}}", mode.text));
    EXPECT_EQ(otp_.Eval(fmt::format("ssl:send(S, <<\"{}\">>)", mode.text)), "ok");
    EXPECT_EQ(Text(client_->Recv(0, kPatience)), text);
  }
}

TEST_P(SslOtpTest, WeAreActiveAndOtpSaysGoodbye) {
  const auto inbox = std::make_shared<SslInbox>();
  SocketSetup setup;
  setup.options = {.active = Active::Count(2), .packet = Packet::k4};
  setup.owner = inbox;
  OtpConnects("{active, false}, {packet, 4}", setup);
  EXPECT_EQ(otp_.Eval("ssl:send(S, <<\"a\">>), ssl:send(S, <<\"b\">>), ssl:send(S, <<\"c\">>)"),
            "ok");
  for (const char* expected : {"a", "b"}) {
    auto message = inbox->Receive(kPatience);
    ASSERT_TRUE(message.ok());
    ASSERT_TRUE(std::holds_alternative<SslData>(message->event));
    EXPECT_EQ(std::get<SslData>(message->event).bytes.text(), expected);
  }
  EXPECT_TRUE(std::holds_alternative<SslPassive>(inbox->Receive(kPatience)->event));
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "c");
  EXPECT_TRUE(server_->SetOpts({.active = Active::Once()}).ok());
  EXPECT_EQ(otp_.Eval("ssl:close(S)"), "ok");
  EXPECT_TRUE(std::holds_alternative<SslClosed>(inbox->Receive(kPatience)->event));
}

TEST_P(SslOtpTest, OtpIsActiveAndWeSayGoodbye) {
  WeConnect("{active, false}", {});
  // The evaluating process is the socket's owner only when it accepted it itself.
  EXPECT_EQ(otp_.Eval("ssl:setopts(S, [{active, once}])"), "ok");
  EXPECT_TRUE(client_->Send("hello").ok());
  EXPECT_EQ(otp_.Eval("receive {ssl, S, X} -> X after 30000 -> none end"), "<<\"hello\">>");
  EXPECT_EQ(otp_.Eval("ssl:setopts(S, [{active, true}])"), "ok");
  EXPECT_TRUE(client_->Close().ok());
  EXPECT_EQ(otp_.Eval("receive {ssl_closed, S} -> closed after 30000 -> none end"), "closed");
}

// OTP's shutdown of writing ends the TCP stream and says no close_notify: the data before it is
// whole, and the end cannot be told from an attacker's.
TEST_P(SslOtpTest, WhatOtpSaysBeforeItShutsWritingArrivesAndTheEndIsACut) {
  OtpConnects("{active, false}", {});
  EXPECT_EQ(otp_.Eval("ssl:send(S, <<\"question\">>)"), "ok");
  EXPECT_EQ(otp_.Eval("ssl:shutdown(S, write)"), "ok");
  EXPECT_EQ(Text(server_->Recv(8, kPatience)), "question");
  const absl::Status end = server_->Recv(0, kPatience).status();
  EXPECT_EQ(base::ReasonOf(end), "closed");
  EXPECT_NE(end.message().find("close_notify"), std::string::npos) << end;
}

TEST_P(SslOtpTest, OtpHearsOurHalfCloseAsTheEnd) {
  OtpConnects("{active, false}", {});
  EXPECT_TRUE(server_->Send("answer").ok());
  EXPECT_TRUE(server_->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_EQ(otp_.Eval("ssl:recv(S, 6, 30000)"), "{ok,<<\"answer\">>}");
  EXPECT_EQ(otp_.Eval("ssl:recv(S, 0, 30000)"), "{error,closed}");
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "!closed");
}

TEST_P(SslOtpTest, KeysAreMadeAnewByEitherSide) {
  WeConnect("{active, false}", {});
  if (GetParam() == Version::kTls13) {
    EXPECT_TRUE(client_->UpdateKeys(true).ok());
    EXPECT_EQ(otp_.Eval("ssl:update_keys(S, read_write)"), "ok");
  } else {
    // Somebody must read at the other side.
    otp_.Post("R = ssl:recv(S, 3, 30000)");
    EXPECT_EQ(Reason(client_->Renegotiate(kPatience)), "ok");
    EXPECT_TRUE(client_->Send("one").ok());
    EXPECT_EQ(otp_.Eval("R"), "{ok,<<\"one\">>}");
    otp_.Post("Renewed = ssl:renegotiate(S), ssl:send(S, <<\"two\">>)");
    EXPECT_EQ(Text(client_->Recv(3, kPatience)), "two");
    EXPECT_EQ(otp_.Eval("Renewed"), "ok");
    EXPECT_EQ(otp_.Eval("{ok, P} = ssl:prf(S, master_secret, <<\"label\">>, [client_random, "
                        "server_random], 16), P"),
              otp_.Eval(fmt::format(
                  "binary:list_to_bin([{}])",
                  fmt::join(*client_->Prf(PrfValue::kMasterSecret, "label",
                                          {PrfValue::kClientRandom, PrfValue::kServerRandom}, 16),
                            ","))));
  }
  EXPECT_TRUE(client_->Send("there").ok());
  EXPECT_EQ(otp_.Eval("ssl:recv(S, 5, 30000)"), "{ok,<<\"there\">>}");
  EXPECT_EQ(otp_.Eval("ssl:send(S, <<\"back\">>)"), "ok");
  EXPECT_EQ(Text(client_->Recv(4, kPatience)), "back");
}

TEST_P(SslOtpTest, APlainConnectionIsUpgradedAndComesBack) {
  const std::string port = otp_.Eval(
      "{ok, L} = gen_tcp:listen(0, [binary, {ip, {127,0,0,1}}, {active, false}]), "
      "{ok, Port} = inet:port(L), Port");
  otp_.Post(
      "{ok, T} = gen_tcp:accept(L, 30000), {ok, <<\"STARTTLS\">>} = gen_tcp:recv(T, 8, 30000)");
  base::Loop& loop = ssl_->NextLoop();
  auto plain =
      base::Await(loop, base::ConnectTcp(loop, "127.0.0.1", static_cast<uint16_t>(std::stoi(port)),
                                         base::AddressFamily::kV4, DeadlineOf(kPatience)));
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_TRUE(base::Await(loop, (*plain)->Write(BufferOf("STARTTLS"))).ok());
  otp_.Post("{ok, S} = ssl:handshake(T, Opts, 30000), ok");
  Options options = OptionsFor(Role::kClient);
  auto socket = ssl_->Connect(*std::move(plain), "otp.example", [&] {
    options.trust.name_check = NameCheck::kPeerHost;
    return options;
  }());
  ASSERT_TRUE(socket.ok()) << socket.status() << otp_.Log();
  EXPECT_TRUE((*socket)->Send("inside").ok());
  EXPECT_EQ(otp_.Eval("ssl:recv(S, 6, 30000)"), "{ok,<<\"inside\">>}");

  otp_.Post("Down = ssl:close(S, {self(), 30000})");
  auto down = (*socket)->Downgrade(kPatience);
  ASSERT_TRUE(down.ok()) << down.status() << otp_.Eval("Down");
  EXPECT_EQ(otp_.Eval("element(1, Down)"), "ok");
  base::Stream& stream = *down->socket;
  EXPECT_TRUE(base::Await(loop, stream.Write(BufferOf("outside"))).ok());
  EXPECT_EQ(otp_.Eval("gen_tcp:recv(element(2, Down), 7, 30000)"), "{ok,<<\"outside\">>}");
  EXPECT_EQ(otp_.Eval("gen_tcp:send(element(2, Down), <<\"again\">>)"), "ok");
  EXPECT_EQ(Text(base::Await(loop, stream.Read())), "again");
  loop.Run([&] { down->socket.reset(); });
}

TEST_P(SslOtpTest, OtpUpgradesAConnectionOfItsOwn) {
  ListenAt();
  auto accepted = std::async(std::launch::async, [this] {
    return ssl_->Handshake(*listener_->TransportAccept(kPatience), [this] {
      Options options = OptionsFor(Role::kServer);
      options.alpn.protocols = {"chat"};
      return options;
    }());
  });
  otp_.Post(fmt::format(
      "{{ok, T}} = gen_tcp:connect({{127,0,0,1}}, {}, [binary, {{active, false}}]), {{ok, S}} = "
      "ssl:connect(T, [{{server_name_indication, \"b.example\"}}, {{alpn_advertised_protocols, "
      "[<<\"chat\">>]}} | Opts], 30000), ok",
      listener_->port()));
  auto socket = accepted.get();
  ASSERT_TRUE(socket.ok()) << socket.status() << otp_.Log();
  EXPECT_EQ(*(*socket)->NegotiatedProtocol(), "chat");
  EXPECT_EQ(otp_.Eval("ssl:negotiated_protocol(S)"), "{ok,<<\"chat\">>}");
  EXPECT_EQ((*socket)->PeerCert()->dns_names, std::vector<std::string>{"otp.example"});
}

}  // namespace
}  // namespace noded::tls
