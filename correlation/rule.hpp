// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "correlation/keys.hpp"
#include "correlation/text_scanner.hpp"
#include "correlation/vocabulary.hpp"
#include "messages/correlation_key.hpp"
#include "messages/correlation_rule.hpp"
#include "messages/event.hpp"

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::correlation {

/// What a rule sees. Valid during the call only.
struct rule_input {
  const event& ev;
  /// The payload, parsed once for all rules; nothing if it is no JSON object.
  std::optional<simdjson::dom::element> payload;
  const vocabulary& known;
  /// A key links at this confidence and above.
  float threshold = 0.7F;
  /// An event that merely mentions more things of one kind than this (a list,
  /// a digest, a release note) links to none of them.
  size_t max_mentions = 3;
  /// Seconds for which a branch's name stands for one piece of work: it is used
  /// again, "patch-1" every few months.
  uint32_t branch_window = 90u * 24 * 3'600;
};

/// Who wrote a text, which decides what a bare reference in it means.
enum class text_source : uint8_t {
  /// Bodies on GitHub: `#12` alone is a remark, "fixes #12" is a link.
  github,
  /// One line that names the whole: a pull request's or an issue's title.
  title,
  commit,
  linear,
  /// Bodies that a program wrote on GitHub: agents open pull requests, others
  /// report and quote. Only what stands behind a magic word counts, and of a
  /// list of such nothing.
  bot,
  /// Chat: people post the URL of what they talk about.
  chat,
};

/// How many references one rule reads out of an event's texts. What names more
/// is no one's piece of work, and anybody can write it: each is compared with
/// all that were found before.
inline constexpr size_t max_references = 2'000;

/// Takes what one rule finds in one event; of equal keys the strongest.
class claims {
 public:
  claims(const rule_input& in, std::string_view rule,
         std::vector<correlation_key>& out);

  /// What the event is; links that are added later say they come from it.
  void subject(correlation_noun noun) noexcept { subject_ = noun; }
  correlation_noun subject() const noexcept { return subject_; }

  const rule_input& input() const noexcept { return in_; }

  /// The event's own key: it is this thing.
  void identity(std::string key, std::string_view field,
                std::string_view matched);
  /// The event belongs to that thing, by its structure.
  void link(std::string key, correlation_noun to, float confidence,
            std::string_view field, std::string_view matched,
            uint32_t window = 0);
  /// The same, once the fact `needs` is known.
  void unresolved(std::string key, correlation_noun to, std::string needs,
                  std::string_view field, std::string_view matched);
  void fact(std::string name, std::string_view value, std::string_view field);

  /// All references in a text; of all texts together up to `max_references`.
  void text(std::string_view text, text_source source, markup how,
            const repository& repo, std::string_view field);
  /// The references in a branch's name.
  void branch_name(std::string_view name, const repository& repo,
                   std::string_view field);
  /// One URL that stands in a field of its own and says what the event is of.
  void url(std::string_view url, float confidence, std::string_view field);
  /// One of several that a message may show: an attachment's, a button's. Of
  /// more than `max_mentions` of a kind none links.
  void shown_url(std::string_view url, float confidence,
                 std::string_view field);

  /// A key that is complete already.
  void take(correlation_key key) { add(std::move(key)); }

  /// Call once at the end: weakens what is only listed.
  void finish();

 private:
  void add(correlation_key key);
  void add(const reference& r, float confidence, bool listed,
           std::string_view field);
  void add_url(std::string_view url, float confidence, bool listed,
               std::string_view field);

  const rule_input& in_;
  std::string_view rule_;
  std::vector<correlation_key>& out_;
  size_t first_;
  size_t references_ = 0;
  correlation_noun subject_ = correlation_noun::event;
  std::vector<reference> found_;
  // Keys that are in the texts without any word that makes them a link.
  std::vector<std::string> listed_;
  std::vector<std::string> stated_;
};

/// A pure function from an event to correlation keys. Const and thread-safe:
/// all workers share one instance.
class rule {
 public:
  virtual ~rule() = default;
  virtual std::string_view name() const noexcept = 0;
  /// Changes with what the rule does, as far as it can tell; a function has
  /// its name only.
  virtual std::string fingerprint() const { return std::string{name()}; }
  /// Null for a rule with code.
  virtual const declarative_rule* definition() const noexcept {
    return nullptr;
  }
  /// Whether the event is any of its business. Cheap.
  virtual bool wants(const event& ev) const = 0;
  /// May throw; what it added before then is dropped.
  virtual void apply(const rule_input& in, claims& out) const = 0;
};

using rule_ptr = std::shared_ptr<const rule>;

/// How sure a reference makes us, before `needs` is known.
float confidence_of(const reference& r, text_source source) noexcept;

/// Branches that stand for no piece of work: main, develop, release/2.0, 1.x, …
bool is_shared_branch(std::string_view name) noexcept;
/// Names that one pull request after the other has: "hotfix", "al-patch-1",
/// those of programs, such as "renovate/all-minor-patch".
bool is_reused_branch(std::string_view name) noexcept;

/// The string at `key` of an object; numbers as their digits; empty if there
/// is none. Views into the document or into `scratch`.
std::string_view text_of(simdjson::dom::element object, std::string_view key,
                         std::string& scratch);
std::string_view text_of(simdjson::dom::element object, std::string_view key);
/// The object or array at `key`, if there is one that is not null.
std::optional<simdjson::dom::element> child(simdjson::dom::element object,
                                            std::string_view key);
/// Whether the object has that member, and it is null.
bool is_null(simdjson::dom::element object, std::string_view name);
std::optional<uint64_t> number_of(simdjson::dom::element object,
                                  std::string_view key);

} // namespace eventweft::correlation
