// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codec/json_text.hpp"

#include <string>
#include <string_view>

namespace eventweft::cli {

/// A JSON object, member by member.
class json_body {
 public:
  void text(std::string_view name, std::string_view value) {
    begin(name);
    codec::append_quoted(out_, value);
  }

  /// `value` is JSON already.
  void raw(std::string_view name, std::string_view value) {
    begin(name);
    out_ += value;
  }

  void flag(std::string_view name, bool value) {
    raw(name, value ? "true" : "false");
  }

  std::string finish() && { return std::move(out_) + '}'; }

 private:
  void begin(std::string_view name) {
    out_ += out_.size() == 1 ? "" : ",";
    codec::append_quoted(out_, name);
    out_ += ':';
  }

  std::string out_ = "{";
};

} // namespace eventweft::cli
