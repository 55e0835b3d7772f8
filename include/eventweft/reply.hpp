// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/export.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft {

/// What the sender of a webhook gets as its HTTP answer. One that can't be an
/// answer (see its members) is dropped with a warning in the log, and the
/// sender gets the plain acknowledgement.
class EVENTWEFT_EXPORT Reply {
 public:
  /// 200 with a JSON object of these members, all of them texts:
  /// `Reply{{"message", "PR processed"}, {"state", "ok"}}`.
  Reply(std::initializer_list<std::pair<std::string_view, std::string_view>>
            members);

  /// 200 with nothing in it.
  Reply() = default;

  /// With a JSON text of your own.
  static Reply json(std::string text, int status = 200);
  /// With plain text.
  static Reply text(std::string text, int status = 200);

  /// From 200 to 599.
  int status = 200;
  /// Printable ASCII; no header if it is empty.
  std::string content_type = "application/json";
  std::string body;
};

} // namespace eventweft
