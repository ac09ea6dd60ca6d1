#include "cli/verbs/tls_www.h"

#include <algorithm>

#include "fmt/format.h"

#include "base/byte_reader.h"
#include "cli/verbs/tls_facts.h"

namespace noded::cli {
namespace {

// The next line, without its end (LF, or CR LF); empty at the end of the head.
std::string_view TakeLine(base::ByteReader& in, std::string_view head) {
  const size_t start = in.position();
  while (in.remaining() > 0 && in.Peek() != '\n') in.Skip(1);
  std::string_view line = head.substr(start, in.position() - start);
  in.Skip(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool IsHostHeader(std::string_view line) {
  constexpr std::string_view kHost = "host:";
  if (line.size() < kHost.size()) return false;
  for (size_t i = 0; i < kHost.size(); ++i) {
    const char c =
        line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] - 'A' + 'a') : line[i];
    if (c != kHost[i]) return false;
  }
  return true;
}

// Behind the empty line that ends the head, or npos while there is none.
size_t EndOfHead(std::string_view text, size_t from) {
  const size_t crlf = text.find("\n\r\n", from), lf = text.find("\n\n", from);
  if (std::min(crlf, lf) == std::string_view::npos) return std::string_view::npos;
  return crlf < lf ? crlf + 3 : lf + 2;
}

std::string Escaped(std::string_view text) {
  std::string html;
  for (char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace

void HttpRequestReader::Feed(base::ByteView bytes) {
  if (is_done()) return;
  const size_t searched = head_.size();
  head_ += base::AsText(bytes);
  // Sloppy clients send empty lines before the request (RFC 9112 2.2).
  const size_t start = head_.find_first_not_of("\r\n");
  const size_t end = start == std::string::npos
                         ? std::string::npos
                         : EndOfHead(head_, std::max(start, searched > 2 ? searched - 2 : 0));
  if (std::min(end, head_.size()) > limits_.max_http_head_bytes) {
    status_ = "431 Request Header Fields Too Large";
  } else if (end != std::string::npos) {
    head_ = head_.substr(start, end - start);
    wants_body_ = !head_.starts_with("HEAD ");
    status_ = Judge();
  }
}

const char* HttpRequestReader::Judge() const {
  base::ByteReader in(base::AsBytes(head_));
  const std::string_view request = TakeLine(in, head_);
  const size_t first = request.find(' '), last = request.rfind(' ');
  if (first == std::string_view::npos || first == 0 || last <= first + 1) return "400 Bad Request";
  const std::string_view method = request.substr(0, first), version = request.substr(last + 1);
  if (!version.starts_with("HTTP/")) return "400 Bad Request";
  if (version != "HTTP/1.0" && version != "HTTP/1.1") return "505 HTTP Version Not Supported";
  bool has_host = false;
  while (in.remaining() > 0) {
    if (IsHostHeader(TakeLine(in, head_))) has_host = true;
  }
  if (version == "HTTP/1.1" && !has_host) return "400 Bad Request";
  if (method != "GET" && method != "HEAD") return "405 Method Not Allowed";
  return "200 OK";
}

std::string HttpRequestReader::Answer(std::string_view page) const {
  const std::string_view status = status_;
  const bool is_ok = status.starts_with("200");
  const std::string body = is_ok ? std::string(page) : fmt::format("{}\n", status);
  return fmt::format(
      "HTTP/1.1 {}\r\n"
      "Content-Type: text/{}; charset=utf-8\r\n"
      "Content-Length: {}\r\n"
      "Cache-Control: no-store\r\n"
      "{}"
      "Connection: close\r\n"
      "\r\n"
      "{}",
      status, is_ok ? "html" : "plain", body.size(),
      status.starts_with("405") ? "Allow: GET, HEAD\r\n" : "", wants_body_ ? body : "");
}

std::string StatusPage(const base::PeerIdentity& peer, std::string_view server) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head>\n"
      "<body><h1>{0}</h1>\n<pre>\n{1}</pre></body></html>\n",
      Escaped(server), Escaped(FactsText(peer)));
}

}  // namespace noded::cli
