// Key passwords and keys: text that must not stay in memory or reach a log (base/secret.h).
#pragma once

#include "base/secret.h"

namespace noded::tls {

using base::Secret;

}  // namespace noded::tls
