// The deadline of base/deadline.h, for the drivers of this layer.
#pragma once

#include "base/deadline.h"

namespace noded::dist {

using base::Deadline;

}  // namespace noded::dist
