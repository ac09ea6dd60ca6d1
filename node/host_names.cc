#include "node/host_names.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

namespace noded::node {
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::string ShortName() {
  const std::string name = HostName();
  return name.substr(0, name.find('.'));
}

// The `domain` (else the first of `search`) of resolv.conf.
std::string ResolverDomain() {
  std::ifstream file("/etc/resolv.conf");
  std::string domain, search;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, value;
    if (!(words >> key >> value)) continue;
    if (key == "domain") domain = value;
    if (key == "search" && search.empty()) search = value;
  }
  return domain.empty() ? search : domain;
}

std::string CanonicalName(const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return "";
  std::string name = found->ai_canonname != nullptr ? found->ai_canonname : "";
  freeaddrinfo(found);
  return name.find('.') != std::string::npos ? name : "";
}

std::string FullName() {
  const std::string name = HostName();
  if (name.empty() || name.find('.') != std::string::npos) return name;
  if (std::string domain = ResolverDomain(); !domain.empty() && domain != ".") {
    return name + "." + domain;
  }
  return CanonicalName(name);
}

}  // namespace

HostNames LocalHostNames() { return {ShortName, FullName}; }

}  // namespace noded::node
