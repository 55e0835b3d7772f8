// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/type_ids.hpp"

#include <caf/result.hpp>

#include <utility>

namespace eventweft {

/// A value or an error of ours as a message handler's result.
template <class T>
caf::result<T> answer(expected<T>&& x) {
  if (!x)
    return to_caf(x.error());
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return std::move(*x);
}

} // namespace eventweft
