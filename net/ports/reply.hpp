// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"

#include <functional>

namespace eventweft::net {

/// Takes the one answer to a call. Called exactly once, on any thread, and
/// must return at once.
template <class T>
using reply_to = std::function<void(expected<T>)>;

} // namespace eventweft::net
