// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>

#include <string_view>

/// Boost.JSON has texts of its own; only sources that use it include this.
namespace eventweft::codec {

inline boost::json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

inline std::string_view view(const boost::json::string& text) {
  return {text.data(), text.size()};
}

} // namespace eventweft::codec
