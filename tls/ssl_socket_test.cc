// Each function of tls/ssl_socket.h, called from threads, with both versions.
#include <atomic>
#include <chrono>
#include <thread>

#include "tls/ssl_pair.h"

namespace noded::tls {
namespace {

class SslSocketTest : public SslPair {};
INSTANTIATE_TEST_SUITE_P(Versions, SslSocketTest, kBothVersions, VersionText);

TEST_P(SslSocketTest, RecvGivesExactlyWhatIsAskedForAcrossRecords) {
  Meet();
  for (const char* part : {"ab", "cdefg", "hi"}) EXPECT_TRUE(client_->Send(part).ok());
  EXPECT_EQ(Text(server_->Recv(3, kPatience)), "abc");
  EXPECT_EQ(Text(server_->Recv(5, kPatience)), "defgh");
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "i");
  const std::string large(200'000, 'x');
  auto sent = std::async(std::launch::async, [&] { return server_->Send(large); });
  EXPECT_EQ(Text(client_->Recv(large.size(), kPatience)), large);
  EXPECT_TRUE(sent.get().ok());
}

TEST_P(SslSocketTest, ATimeoutLosesNothing) {
  Meet();
  EXPECT_EQ(Text(server_->Recv(0, Timeout(20))), "!timeout");
  EXPECT_TRUE(client_->Send("abc").ok());
  EXPECT_EQ(Text(server_->Recv(4, Timeout(20))), "!timeout");
  EXPECT_EQ(Text(server_->Recv(1, kPatience)), "a");
  EXPECT_EQ(Text(server_->Recv(0, Timeout(0))), "bc") << "no time is enough for what is there";
  EXPECT_EQ(Text(server_->Recv(0, Timeout(0))), "!timeout");
}

TEST_P(SslSocketTest, ReceiversAreServedInTurnAndSendersAreNotMixed) {
  Meet();
  std::vector<std::thread> senders;
  for (char letter : {'a', 'b', 'c', 'd'}) {
    senders.emplace_back([this, letter] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(client_->Send(std::string(50'000, letter)).ok());
    });
  }
  int letters[4] = {};
  for (int i = 0; i < 80; ++i) {
    const std::string text = Text(server_->Recv(50'000, kPatience));
    ASSERT_EQ(text, std::string(50'000, text[0])) << "two sends are mixed";
    ++letters[text[0] - 'a'];
  }
  for (std::thread& sender : senders) sender.join();
  for (int count : letters) EXPECT_EQ(count, 20);
}

TEST_P(SslSocketTest, CloseIsSeenAfterAllTheDataAndIsIdempotent) {
  Meet();
  EXPECT_TRUE(client_->Send("last words").ok());
  EXPECT_TRUE(client_->Close().ok());
  EXPECT_TRUE(client_->Close().ok());
  EXPECT_EQ(Reason(client_->Send("more")), "closed");
  EXPECT_EQ(Text(client_->Recv(0)), "!closed");
  EXPECT_EQ(Text(server_->Recv(100, kPatience)), "!closed") << "less than was asked for";
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "last words");
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "!closed");
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "!closed");
}

TEST_P(SslSocketTest, CallsUnderWayEndWhenTheSocketIsClosedOrDestroyed) {
  Meet();
  auto first = std::async(std::launch::async, [this] { return server_->Recv(1); });
  auto second = std::async(std::launch::async, [this] { return server_->Recv(1); });
  EXPECT_EQ(Text(server_->Recv(1, Timeout(20))), "!timeout");
  EXPECT_TRUE(server_->Close().ok());
  EXPECT_EQ(Text(first.get()), "!closed");
  EXPECT_EQ(Text(second.get()), "!closed");

  Meet();
  SslSocket& loud = *client_;
  base::Loop& loop = server_->loop();
  auto pending = std::make_shared<std::promise<absl::StatusOr<base::Slice>>>();
  base::Spawn(loop, "test", server_->AsyncRecv(1),
              [pending](absl::StatusOr<base::Slice> result) { pending->set_value(result); });
  server_.reset();
  EXPECT_EQ(Text(pending->get_future().get()), "!closed");
  EXPECT_EQ(Text(loud.Recv(0, kPatience)), "!closed") << "close_notify was said";
}

TEST_P(SslSocketTest, ASendThatNobodyReadsEndsWithTheClose) {
  Meet();
  auto stuck =
      std::async(std::launch::async, [this] { return client_->Send(std::string(64 << 20, 'x')); });
  // It is under way when the first of it has come.
  EXPECT_EQ(Text(server_->Recv(1, kPatience)), "x");
  server_.reset();
  EXPECT_NE(Reason(stuck.get()), "ok");
}

TEST_P(SslSocketTest, ShutdownOfWritingLeavesTheOtherDirection) {
  Meet();
  EXPECT_TRUE(client_->Send("question").ok());
  EXPECT_TRUE(client_->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_TRUE(client_->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_EQ(Reason(client_->Send("more")), "closed");
  EXPECT_EQ(Text(server_->Recv(8, kPatience)), "question");
  EXPECT_EQ(Text(server_->Recv(0, kPatience)), "!closed");
  EXPECT_TRUE(server_->Send("answer").ok());
  EXPECT_EQ(Text(client_->Recv(6, kPatience)), "answer");
  EXPECT_TRUE(server_->Close().ok());
  EXPECT_EQ(Text(client_->Recv(0, kPatience)), "!closed");
}

TEST_P(SslSocketTest, ShutdownOfReadingDropsWhatComes) {
  Meet();
  auto waiting = std::async(std::launch::async, [this] { return server_->Recv(1); });
  EXPECT_EQ(Text(server_->Recv(1, Timeout(20))), "!timeout");
  EXPECT_TRUE(server_->Shutdown(ShutdownHow::kRead).ok());
  EXPECT_EQ(Text(waiting.get()), "!closed");
  // More than what the kernel would keep for nobody.
  EXPECT_TRUE(client_->Send(std::string(20'000'000, 'x')).ok());
  EXPECT_EQ(Text(server_->Recv(0, Timeout(50))), "!closed");
  EXPECT_TRUE(server_->Send("still speaking").ok());
  EXPECT_EQ(Text(client_->Recv(14, kPatience)), "still speaking");
  EXPECT_TRUE(server_->Shutdown(ShutdownHow::kReadWrite).ok());
  EXPECT_EQ(Text(client_->Recv(0, kPatience)), "!closed");
}

TEST_P(SslSocketTest, TellsNamesCertificatesAndWhatWasAgreed) {
  Meet();
  EXPECT_EQ(client_->PeerName().port, listener_->port());
  EXPECT_EQ(server_->PeerName().port, client_->SockName().port);
  EXPECT_EQ(listener_->SockName().address, "127.0.0.1");

  auto cert = client_->PeerCert();
  ASSERT_TRUE(cert.ok()) << cert.status();
  EXPECT_EQ(cert->dns_names, std::vector<std::string>{"b.example"});
  EXPECT_FALSE(cert->der.empty());
  EXPECT_EQ(base::ReasonOf(client_->NegotiatedProtocol().status()), "protocol_not_negotiated");

  auto all = server_->GetConnectionInformation();
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->agreed.version, GetParam());
  EXPECT_TRUE(all->agreed.is_peer_verified);
  EXPECT_TRUE(all->options.trust.fail_if_no_peer_cert);
  EXPECT_EQ(all->socket.active, Active::False());
  auto some = server_->GetConnectionInformation({"sni_hostname", "protocol", "packet"});
  ASSERT_TRUE(some.ok()) << some.status();
  using Items = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(*some, (Items{{"sni_hostname", "b.example"},
                          {"protocol", VersionName(GetParam())},
                          {"packet", "raw"}}));
  for (const char* item : {"selected_cipher_suite", "client_random", "server_random", "peer"}) {
    auto one = server_->GetConnectionInformation({item});
    ASSERT_TRUE(one.ok()) << one.status();
    EXPECT_FALSE(one->front().second.empty()) << item;
  }
  EXPECT_EQ(base::ReasonOf(server_->GetConnectionInformation({"colour"}).status()), "einval");
}

TEST_P(SslSocketTest, EveryItemTellsWhatIsInForce) {
  const bool is_tls12 = GetParam() == Version::kTls12;
  Options server = OptionsFor(Role::kServer), client = OptionsFor(Role::kClient);
  server.trust.fail_if_no_peer_cert = false;
  server.ciphers.honor_cipher_order = true;
  server.alpn.protocols = {"h2", "chat"};
  client.alpn.protocols = {"chat"};
  client.identity = {};
  client.trust.depth = 3;
  client.traffic.hibernate_after = std::chrono::milliseconds(9000);
  client.traffic.key_update_at = 1'000'000;
  client.traffic.log_alert = false;
  ListenAt();
  auto accepted = std::async(std::launch::async, [&] {
    return ssl_->Handshake(*listener_->TransportAccept(kPatience), server);
  });
  auto near = ssl_->Connect("127.0.0.1", listener_->port(), client,
                            {.options = {.packet = Packet::k4, .packet_size = size_t{100}}});
  auto far = accepted.get();
  ASSERT_TRUE(near.ok() && far.ok()) << near.status() << far.status();
  const auto item = [](SslSocket& side, const std::string& name) {
    auto one = side.GetConnectionInformation({name});
    EXPECT_TRUE(one.ok()) << one.status();
    return one.ok() ? one->front().second : "";
  };
  const std::map<std::string, std::string> clients = {
      {"protocol", VersionName(GetParam())},
      {"sni_hostname", "b.example"},
      {"session_resumption", "false"},
      {"negotiated_protocol", "chat"},
      {"active", "false"},
      {"packet", "4"},
      {"packet_size", "100"},
      {"versions", VersionName(GetParam())},
      {"verify", "verify_peer"},
      {"depth", "3"},
      {"crl_check", "false"},
      {"alpn", "chat"},
      {"reuse_sessions", "true"},
      {"secure_renegotiate", "true"},
      {"key_update_at", "1000000"},
      {"renegotiate_at", "268435456"},
      {"max_fragment_length", "0"},
      {"hibernate_after", "9000"},
      {"log_alert", "false"},
  };
  for (const auto& [name, value] : clients) EXPECT_EQ(item(**near, name), value) << name;
  const std::map<std::string, std::string> servers = {
      {"verify", "verify_peer"},  // though the client has no certificate
      {"fail_if_no_peer_cert", "false"},
      {"honor_cipher_order", "true"},
      {"client_renegotiation", "true"},
      {"peer", ""},
      {"alpn", "h2,chat"},
      {"hibernate_after", "undefined"},
      {"log_alert", "true"},
  };
  for (const auto& [name, value] : servers) EXPECT_EQ(item(**far, name), value) << name;
  const std::string suite = item(**near, "selected_cipher_suite");
  EXPECT_NE(item(**near, "ciphers").find(suite), std::string::npos) << "of the defaults";
  EXPECT_NE(item(**near, "groups").find(item(**near, "group")), std::string::npos);
  if (!is_tls12) {
    EXPECT_EQ(item(**near, "session_id"), "");
  }
  for (const char* random : {"client_random", "server_random"}) {
    EXPECT_EQ(item(**near, random).size(), 64u);
    EXPECT_EQ(item(**near, random), item(**far, random));
  }
}

TEST_P(SslSocketTest, InformationHoldsNoSecrets) {
  Options server = OptionsFor(Role::kServer);
  auto host = std::make_shared<Options>(server);
  host->identity.key = Secret(testlib::ReadFile(b_.key));
  host->identity.keyfile.clear();
  server.server_names.hosts["shop.example"] = host;
  Meet();  // leaves a session
  EXPECT_TRUE(server_->Send("x").ok());
  EXPECT_EQ(Text(client_->Recv(1, kPatience)), "x");
  auto session = client_->SessionData();
  ASSERT_TRUE(session.ok()) << session.status();
  Options client = OptionsFor(Role::kClient);
  client.sessions.reuse_session = *session;

  auto accepted = std::async(std::launch::async, [&] {
    return ssl_->Handshake(*listener_->TransportAccept(kPatience), server);
  });
  auto near = ssl_->Connect("127.0.0.1", listener_->port(), client);
  auto far = accepted.get();
  ASSERT_TRUE(near.ok() && far.ok()) << near.status() << far.status();
  auto nears = (*near)->GetConnectionInformation(), fars = (*far)->GetConnectionInformation();
  ASSERT_TRUE(nears.ok() && fars.ok());
  EXPECT_TRUE(nears->options.sessions.reuse_session.empty());
  EXPECT_TRUE(fars->options.server_names.hosts.at("shop.example")->identity.key.empty());
  EXPECT_FALSE(host->identity.key.empty()) << "the user's own are left alone";
}

TEST_P(SslSocketTest, SessionDataLetsALaterConnectionGoOn) {
  Meet();
  EXPECT_TRUE(server_->Send("x").ok());
  EXPECT_EQ(Text(client_->Recv(1, kPatience)), "x");
  auto session = client_->SessionData();
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(Reason(server_->SessionData().status()), "no_session");
  Options client = OptionsFor(Role::kClient);
  client.sessions.cache = nullptr;
  client.sessions.reuse_session = *session;
  auto accepted = Accept();
  auto again = ssl_->Connect("127.0.0.1", listener_->port(), client);
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_TRUE(accepted.get().ok());
  EXPECT_TRUE((*again)->GetConnectionInformation()->agreed.is_resumed);
}

TEST_P(SslSocketTest, AgreesOnAProtocol) {
  Options server = OptionsFor(Role::kServer), client = OptionsFor(Role::kClient);
  server.alpn.protocols = {"h2", "chat"};
  client.alpn.protocols = {"chat", "gossip"};
  ListenAt();
  auto accepted = std::async(std::launch::async, [&] {
    auto transport = listener_->TransportAccept(kPatience);
    EXPECT_TRUE(transport.ok()) << transport.status();
    return ssl_->Handshake(*std::move(transport), server);  // instead of the listener's
  });
  auto connected = ssl_->Connect("127.0.0.1", listener_->port(), client);
  auto far = accepted.get();
  ASSERT_TRUE(connected.ok() && far.ok()) << connected.status() << far.status();
  EXPECT_EQ(*(*connected)->NegotiatedProtocol(), "chat");
  EXPECT_EQ(*(*far)->NegotiatedProtocol(), "chat");
}

TEST_P(SslSocketTest, BothSidesDeriveTheSameKeys) {
  Meet();
  const base::Slice context = base::Slice::Copy("context");
  auto near = client_->ExportKeyMaterial("EXPORTER-test", context.view(), 40);
  auto far = server_->ExportKeyMaterial("EXPORTER-test", context.view(), 40);
  auto other = server_->ExportKeyMaterial("EXPORTER-other", context.view(), 40);
  ASSERT_TRUE(near.ok() && far.ok() && other.ok()) << near.status() << far.status();
  EXPECT_EQ(near->size(), 40u);
  EXPECT_EQ(*near, *far);
  EXPECT_NE(*far, *other);
  const std::vector<PrfInput> seed = {PrfValue::kClientRandom, PrfValue::kServerRandom};
  auto prf = client_->Prf(PrfValue::kMasterSecret, "label", seed, 16);
  if (GetParam() == Version::kTls12) {
    ASSERT_TRUE(prf.ok()) << prf.status();
    EXPECT_EQ(*prf, *server_->Prf(PrfValue::kMasterSecret, "label", seed, 16));
  } else {
    EXPECT_FALSE(prf.ok());
  }
  EXPECT_TRUE(client_->Close().ok());
  EXPECT_EQ(base::ReasonOf(client_->ExportKeyMaterial("x", std::nullopt, 8).status()), "closed");
}

TEST_P(SslSocketTest, KeysChangeWhileBothSidesTalk) {
  Meet();
  std::atomic<bool> is_enough = false;
  // Numbered chunks, as long as keys are changed, and then one that ends them.
  constexpr size_t kChunk = 50'000;
  const auto pump = [&](SslSocket* from, SslSocket* to) {
    auto sender = std::async(std::launch::async, [&] {
      for (int sent = 0; !is_enough || sent < 10; ++sent) {
        EXPECT_TRUE(from->Send(std::string(kChunk, static_cast<char>(sent % 100))).ok());
      }
      EXPECT_TRUE(from->Send(std::string(kChunk, '\xff')).ok());
    });
    std::string chunk;
    for (int got = 0; chunk != std::string(kChunk, '\xff'); ++got) {
      if (got > 0) {
        ASSERT_TRUE(chunk == std::string(kChunk, static_cast<char>((got - 1) % 100)))
            << "chunk " << got << ": " << chunk.substr(0, 10);
      }
      chunk = Text(to->Recv(kChunk, kPatience));
    }
    sender.get();
  };
  auto there = std::async(std::launch::async, pump, client_.get(), server_.get());
  auto back = std::async(std::launch::async, pump, server_.get(), client_.get());
  for (int i = 0; i < 3; ++i) {
    for (SslSocket* side : {client_.get(), server_.get()}) {
      if (GetParam() == Version::kTls13) {
        EXPECT_TRUE(side->UpdateKeys(i % 2 == 0).ok());
        EXPECT_NE(Reason(side->Renegotiate(kPatience)), "ok");
      } else {
        EXPECT_EQ(Reason(side->Renegotiate(kPatience)), "ok");
        EXPECT_FALSE(side->UpdateKeys(false).ok());
      }
    }
  }
  is_enough = true;
  there.get();
  back.get();
}

TEST_P(SslSocketTest, ARejectedRenegotiationLeavesTheConnection) {
  if (GetParam() == Version::kTls13) return;  // it has none, see KeysChangeWhileBothSidesTalk
  Options server = OptionsFor(Role::kServer);
  server.renegotiation.client_renegotiation = false;
  ListenAt();
  auto accepted = std::async(std::launch::async, [&] {
    return ssl_->Handshake(*listener_->TransportAccept(kPatience), server);
  });
  auto connected = ssl_->Connect("127.0.0.1", listener_->port(), OptionsFor(Role::kClient));
  auto far = accepted.get();
  ASSERT_TRUE(connected.ok() && far.ok()) << connected.status() << far.status();
  auto hears = std::async(std::launch::async, [&] { return (*far)->Recv(5, kPatience); });
  EXPECT_EQ(Reason((*connected)->Renegotiate(kPatience)), "renegotiation_rejected");
  EXPECT_TRUE((*connected)->Send("alive").ok());
  EXPECT_EQ(Text(hears.get()), "alive");
}

TEST_P(SslSocketTest, ARenegotiationThatNobodyAnswersTimesOut) {
  if (GetParam() == Version::kTls13) return;
  Meet();
  EXPECT_EQ(Reason(client_->Renegotiate(Timeout(50))), "timeout") << "the server reads nothing";
  auto hears = std::async(std::launch::async, [&] { return server_->Recv(4, kPatience); });
  EXPECT_TRUE(client_->Send("late").ok());
  EXPECT_EQ(Text(hears.get()), "late");
}

TEST_P(SslSocketTest, AnIdleConnectionWakesFromHibernation) {
  Options server = OptionsFor(Role::kServer), client = OptionsFor(Role::kClient);
  server.traffic.hibernate_after = client.traffic.hibernate_after = std::chrono::milliseconds(1);
  ListenAt();
  auto accepted = std::async(std::launch::async, [&] {
    return ssl_->Handshake(*listener_->TransportAccept(kPatience), server);
  });
  auto connected = ssl_->Connect("127.0.0.1", listener_->port(), client);
  auto far = accepted.get();
  ASSERT_TRUE(connected.ok() && far.ok()) << connected.status() << far.status();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Text((*far)->Recv(1, Timeout(30))), "!timeout");
    EXPECT_TRUE((*connected)->Send("tick").ok());
    EXPECT_EQ(Text((*far)->Recv(4, kPatience)), "tick");
    EXPECT_TRUE((*far)->Send("tock").ok());
    EXPECT_EQ(Text((*connected)->Recv(4, kPatience)), "tock");
  }
}

TEST_P(SslSocketTest, CallsThatWaitFailOnTheSocketsLoop) {
  Meet();
  const absl::Status refused = client_->loop().Run([this] { return client_->Send("x"); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace noded::tls
