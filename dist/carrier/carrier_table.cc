#include <string>
#include <utility>

#include "fmt/format.h"

#include "base/nearest_name.h"
#include "base/status.h"
#include "dist/carrier/carrier.h"

namespace noded::dist {

void CarrierTable::Add(std::unique_ptr<Carrier> carrier) {
  for (auto& known : carriers_) {
    if (known->name() == carrier->name()) {
      known = std::move(carrier);
      return;
    }
  }
  carriers_.push_back(std::move(carrier));
}

absl::StatusOr<Carrier*> CarrierTable::Find(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& carrier : carriers_) {
    if (carrier->name() == name) return carrier.get();
    names.push_back(carrier->name());
  }
  return base::Error(
      absl::StatusCode::kInvalidArgument,
      fmt::format("-proto_dist {}: unknown carrier{}", name, base::DidYouMean(name, names)),
      fmt::format("give one of {}", fmt::join(names, ", ")), "badarg");
}

}  // namespace noded::dist
