// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "messages/filter.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace eventweft::codec {

/// Reads a filter object. An unknown key, a value of the wrong type or an
/// unusable path is refused by name: `malformed` if it is not JSON,
/// `unprocessable` otherwise. So are escapes that no store can hold (U+0000,
/// half a surrogate pair): they would come back as something else.
expected<filter> parse_filter(std::string_view json);

/// As `parse_filter`, for a filter that is kept: a key among `correlation_ids`
/// is refused too, because what it leads to may be another thread by and by.
expected<filter> parse_kept_filter(std::string_view json);

/// As `parse_kept_filter`, for one that narrows what its bearer may see. An
/// empty member lets everything through, and so would the empty list of
/// someone who may see nothing: it is `unprocessable`, as is a filter without
/// members.
expected<filter> parse_forced_filter(std::string_view json);

/// The canonical text: known keys in a fixed order, values sorted and unique.
/// Equal texts mean equal filters.
std::string filter_json(const filter& f);

/// `now`, `earliest`, a seq (exclusive) or an RFC 3339 time.
expected<start_point> parse_since(std::string_view text);

struct filter_program;

/// A filter made ready for many events. Thread-safe, cheap to copy.
class compiled_filter {
 public:
  /// Matches everything.
  compiled_filter();
  explicit compiled_filter(const filter& f);
  /// Both must match: a stream's filter and its reader's.
  compiled_filter(const filter& stream, const filter& reader);
  /// All three must match; `forced` is what the reader can't get around.
  compiled_filter(const filter& stream, const filter& reader,
                  const filter& forced);

  bool matches(const event& ev) const;

  /// Equal keys mean that both match the same events.
  const std::string& key() const noexcept;

  const filter_program& program() const noexcept { return *program_; }

 private:
  std::shared_ptr<const filter_program> program_;
};

/// Whether `text` matches `pattern`, in which `*` stands for any run of
/// characters. Takes at most |pattern| × |text| steps, whatever the pattern.
bool wildcard_match(std::string_view pattern, std::string_view text) noexcept;

} // namespace eventweft::codec
