// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/subscription.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft::codec {

/// What is named in a path by clients: 1 to 100 letters, digits, `_`, `.` and
/// `-`, not `.` or `..`.
bool is_path_name(std::string_view name) noexcept;
inline constexpr std::string_view path_name_rule =
    "1 to 100 letters, digits, `_`, `.` and `-`, not `.` or `..`";

/// A request's object, whose members are taken out one by one; what is left is
/// unknown. A member that is not there, or null, leaves `out` as it is; so does
/// one that is not as it should be, and the first of those is kept for
/// `finish`. Names must outlive it.
class request_fields {
 public:
  /// `malformed` for what is no JSON object, and for a member that is given
  /// twice, in it or in an object that it holds.
  static expected<request_fields> read(std::string_view body);

  /// A text of at most `most` bytes.
  void text(std::string_view name, size_t most,
            std::optional<std::string>& out);
  void flag(std::string_view name, std::optional<bool>& out);
  /// A whole number from 0 to `most`.
  void whole(std::string_view name, uint32_t most,
             std::optional<uint32_t>& out);
  /// Any number from 0 to `most`.
  void number(std::string_view name, uint32_t most, std::optional<double>& out);
  /// The member `filter`.
  void filter(std::optional<eventweft::filter>& out);
  /// The member `match`, a filter of what comes in: no thread is known yet.
  void match(std::optional<eventweft::filter>& out);
  void format(std::string_view name, std::optional<wire_format>& out);
  void since(std::string_view name, std::optional<start_point>& out);
  /// An object of texts.
  void headers(std::string_view name,
               std::optional<outgoing::header_list>& out);

  /// What is wrong with a member, if nothing was before.
  void note(std::string_view name, std::string_view what);
  /// The first fault, or else a member that nobody asked for.
  expected<void> finish() const;

 private:
  explicit request_fields(boost::json::object members)
      : members_(std::move(members)) {}

  /// Null if there is none, or it is null.
  const boost::json::value* find(std::string_view name);

  boost::json::object members_;
  /// As they were sent.
  std::string filter_;
  std::string match_;
  std::vector<std::string_view> known_;
  std::optional<error> fault_;
};

} // namespace eventweft::codec
