// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/base_platform.hpp"
#include "actors/platforms/definition.hpp"

namespace eventweft::platforms {

/// The platform that a definition describes.
expected<platform_ptr> make_declarative(platform_definition definition,
                                        const platform_parts& parts);

} // namespace eventweft::platforms
