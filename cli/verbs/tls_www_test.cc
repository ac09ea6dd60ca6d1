#include "cli/verbs/tls_www.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace noded::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

HttpRequestReader Read(std::string_view text) {
  HttpRequestReader reader;
  reader.Feed(base::AsBytes(text));
  return reader;
}

std::string StatusOf(std::string_view text) {
  const HttpRequestReader reader = Read(text);
  return reader.is_done() ? reader.status() : "waits";
}

TEST(TlsWwwTest, TakesGetAndHeadOfBothVersions) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.0\r\n\r\n"), "200 OK");
  EXPECT_EQ(StatusOf("GET /any/path?x=1 HTTP/1.1\r\nhOsT: a\r\nX: y\r\n\r\n"), "200 OK");
  EXPECT_EQ(StatusOf("HEAD / HTTP/1.1\r\nAccept: */*\r\nHost:\r\n\r\n"), "200 OK");
  EXPECT_EQ(StatusOf("GET / HTTP/1.0\n\n"), "200 OK") << "openssl s_client sends bare line feeds";
  EXPECT_EQ(StatusOf("\r\n\r\nGET / HTTP/1.0\r\n\r\n"), "200 OK");
}

TEST(TlsWwwTest, RefusesTheRestWithItsReason) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\r\n"), "400 Bad Request") << "no host";
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nHos: a\r\nH\r\n\r\n"), "400 Bad Request");
  EXPECT_EQ(StatusOf("GET /\r\n\r\n"), "400 Bad Request");
  EXPECT_EQ(StatusOf("GET  HTTP/1.0\r\n\r\n"), "400 Bad Request");
  EXPECT_EQ(StatusOf(" / HTTP/1.0\r\n\r\n"), "400 Bad Request");
  EXPECT_EQ(StatusOf("hello\n\n"), "400 Bad Request");
  EXPECT_EQ(StatusOf("PRI * HTTP/2.0\r\n\r\n"), "505 HTTP Version Not Supported");
  EXPECT_EQ(StatusOf("POST / HTTP/1.0\r\n\r\n"), "405 Method Not Allowed");
}

TEST(TlsWwwTest, WaitsForTheEndOfTheHeadHoweverItIsCut) {
  for (std::string_view text : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nGET / HTTP/1.0\n\n"}) {
    HttpRequestReader reader;
    for (size_t i = 0; i < text.size(); ++i) {
      EXPECT_FALSE(reader.is_done()) << i;
      reader.Feed(base::AsBytes(text.substr(i, 1)));
    }
    ASSERT_TRUE(reader.is_done());
    EXPECT_STREQ(reader.status(), "200 OK");
  }
}

TEST(TlsWwwTest, BoundsTheHeadHoweverItIsCut) {
  const std::string text = "GET / HTTP/1.0\r\nX: yy\r\n\r\n";
  for (const size_t limit : {text.size(), text.size() - 1}) {
    base::Limits limits;
    limits.max_http_head_bytes = limit;
    HttpRequestReader whole(limits), cut(limits);
    whole.Feed(base::AsBytes(text));
    for (char c : text) cut.Feed(base::AsBytes(std::string_view(&c, 1)));
    const char* expected = limit == text.size() ? "200 OK" : "431 Request Header Fields Too Large";
    EXPECT_STREQ(whole.status(), expected);
    EXPECT_STREQ(cut.status(), expected);
  }
}

TEST(TlsWwwTest, TheFirstEmptyLineEndsTheHead) {
  EXPECT_EQ(StatusOf("GET / HTTP/1.0\n\nPOST / HTTP/1.1\r\n\r\n"), "200 OK");
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\r\nHost: a\n\n"), "400 Bad Request");
}

TEST(TlsWwwTest, AnswersWithThePageAndItsLength) {
  const std::string answer = Read("GET / HTTP/1.0\r\n\r\n").Answer("<p>hi</p>");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/html; charset=utf-8\r\nContent-Length: 9\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n<p>hi</p>"));
  const std::string head = Read("HEAD / HTTP/1.0\r\n\r\n").Answer("<p>hi</p>");
  EXPECT_THAT(head, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
  const std::string refusal = Read("PUT / HTTP/1.0\r\n\r\n").Answer("<p>hi</p>");
  EXPECT_THAT(refusal, HasSubstr("Allow: GET, HEAD\r\n"));
  EXPECT_THAT(refusal, EndsWith("\r\n\r\n405 Method Not Allowed\n"));
}

TEST(TlsWwwTest, ThePageSaysWhatWasAgreedAndEscapesIt) {
  base::PeerIdentity peer{"127.0.0.1", 5};
  peer.tls.emplace();
  peer.tls->version = "tlsv1.3";
  peer.tls->cipher_suite = "TLS_AES_128_GCM_SHA256";
  peer.tls->sni = "<b>&";
  const std::string page = StatusPage(peer, "noded");
  EXPECT_THAT(page, HasSubstr("tlsv1.3"));
  EXPECT_THAT(page, HasSubstr("TLS_AES_128_GCM_SHA256"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&amp;"));
}

}  // namespace
}  // namespace noded::cli
