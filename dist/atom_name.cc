#include "dist/atom_name.h"

#include <algorithm>

namespace noded::dist {

AtomName::AtomName(std::string_view text, int) {
  Short small{};
  if (text.size() > small.text.size()) {
    text_ = std::make_shared<const std::string>(text);
    return;
  }
  small.size = static_cast<uint8_t>(text.size());
  std::copy(text.begin(), text.end(), small.text.begin());
  text_ = small;
}

std::string_view AtomName::view() const {
  if (const Short* small = std::get_if<Short>(&text_)) return {small->text.data(), small->size};
  return **std::get_if<Long>(&text_);
}

}  // namespace noded::dist
