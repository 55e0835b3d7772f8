// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/uuid.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// Correlation keys in their one canonical form. Two spellings of the same
/// thing give the same bytes, so that a key can be compared, indexed and
/// hashed as text.
///
///   github:pr:octo/repo#12               a pull request
///   github:issue:octo/repo#12            an issue
///   github:pr:ghe.acme.com/octo/repo#12  the same on a GitHub of one's own
///   linear:issue:ENG-42                  a Linear issue
///   linear:id:<uuid>                     the same by Linear's internal id
///   git:sha:<40 hex>                     a commit
///   git:branch:octo/repo:feature/x       a branch (its name keeps its case)
///   slack:thread:T0001:C024BE91L:1712345678.000100
///   deployment:octo/repo#<id>            a deployment; deployment:<id> where
///                                        no repository is named
///   trace:<32 hex>  correlation:<id>
///   event:<source> <id>                  a CloudEvent: its id counts within
///                                        its source
///   event:<uuid or ulid>                 an event by an id of its own
///
/// Owners, repositories and hosts are lower case (GitHub ignores theirs), team
/// keys upper case, SHAs and trace ids lower case.
namespace eventweft::correlation {

inline constexpr size_t max_key_size = 512;

/// Families that more than their own rule looks at.
inline constexpr std::string_view sha_family = "git:sha:";
inline constexpr std::string_view event_family = "event:";
inline constexpr std::string_view correlation_family = "correlation:";
inline constexpr std::string_view deployment_family = "deployment:";

/// A repository: `name` is "owner/repo" in lower case, `host` is empty for
/// github.com.
struct repository {
  std::string host;
  std::string name;

  bool empty() const noexcept { return name.empty(); }
  /// "octo/repo", "ghe.acme.com/octo/repo"
  std::string path() const;
  bool operator==(const repository&) const = default;
};

/// Reads "Octo/Repo", the form of `full_name`; nothing if it is not one.
std::optional<repository> repository_of(std::string_view full_name,
                                        std::string_view host = {});

/// The same, also behind its host: "ghe.acme.com/Octo/Repo".
std::optional<repository> repository_of_path(std::string_view path);

/// "" for github.com and its aliases (www, api, redirect), else the host in
/// lower case without "www." and "api.".
std::string canonical_host(std::string_view host);

std::string pr_key(const repository& repo, uint64_t number);
std::string issue_key(const repository& repo, uint64_t number);
/// "ENG", 42; the team key in either case.
std::string linear_key(std::string_view team, uint64_t number);
/// Linear's own id of an issue, a UUID in either case.
std::string linear_id_key(std::string_view id);
/// Nothing unless `hex` has 40 hex digits, not all of them zero.
std::optional<std::string> sha_key(std::string_view hex);
/// `name` without "refs/heads/".
std::string branch_key(const repository& repo, std::string_view name);
/// Nothing unless `ts` looks like "1712345678.000100" (any length after the
/// point) or like a permalink's "p1712345678000100".
std::optional<std::string> slack_thread_key(std::string_view team,
                                            std::string_view channel,
                                            std::string_view ts);
/// An id counts within its repository; `repo` may be empty.
std::string deployment_key(std::string_view id, const repository& repo);
/// Whether an id is a counter, which says nothing without its repository.
bool counts_in_repository(std::string_view id) noexcept;
/// Whether a key is a deployment's id without a repository.
bool is_bare_deployment(std::string_view key) noexcept;
/// The trace id of a W3C `traceparent`; nothing if that is malformed or zero.
std::optional<std::string> trace_key(std::string_view traceparent);
std::string correlation_id_key(std::string_view id);
std::string correlation_id_key(const uuid& id);
/// A CloudEvent; nothing without a source or an id. A source holds no blank,
/// so no two pairs give one key.
std::optional<std::string> event_key(std::string_view source,
                                     std::string_view id);
/// The key of an id that names one event wherever it stands: a UUID, but for
/// the nil one, or a ULID. Nothing for any other.
std::optional<std::string> global_event_key(std::string_view id);
/// Whether a key is one of `global_event_key`.
bool is_global_event(std::string_view key) noexcept;

/// The id in a key that may name an event or a thread of ours: `event:<uuid>`,
/// `correlation:<uuid>`.
std::optional<uuid> own_id_in(std::string_view key);
/// Its key in the other of these two families.
std::string other_name_of(std::string_view key, const uuid& id);

/// Facts: what a key may have to wait for (`correlation_key::needs`).
std::string team_fact(std::string_view team);
std::string channel_fact(std::string_view channel);
/// That a host (canonical) is a GitHub.
std::string host_fact(std::string_view host);
/// Of a full or short SHA: its first seven digits.
std::string sha_fact(std::string_view hex);

/// Which pull request a commit is the head of, or was merged as; a key, too, of
/// something that is about that pull request, whichever it is. Nothing unless
/// `hex` has 40 digits.
std::optional<std::string> pr_of_commit(std::string_view hex);
/// Whether a key or a fact is one of those. There are as many as commits.
bool is_pr_of_commit(std::string_view name) noexcept;

/// Whether a key is a commit with all its digits.
bool is_full_sha(std::string_view key) noexcept;
/// Whether a key is a commit of which some of the digits are missing.
bool is_short_sha(std::string_view key) noexcept;

/// Whether a key is of one of the families above, which several rules share.
bool is_of_a_family(std::string_view key) noexcept;

/// The fact for which a key waits where nobody knows it, and the key as it is
/// then: of a Linear issue its team, of a Slack thread its channel's. Nothing
/// for all others.
std::optional<std::pair<std::string, std::string>>
as_it_waits(std::string_view key);

/// The fact that a canonical key has to wait for because a part of it is
/// missing: of a short SHA its other digits, of a Slack thread its team. Empty
/// for all others.
std::string needed_fact(std::string_view key);

/// The key that `key` becomes now that its fact has the value `value`: a
/// Slack thread gets its team, a short SHA its other digits, a commit's pull
/// request the key of that.
std::string resolve_key(std::string_view key, std::string_view value);

/// A short SHA's full form if exactly one known commit begins with it.
using sha_lookup = std::function<std::optional<std::string>(std::string_view)>;

/// Brings a key that a person or a custom rule wrote into its canonical form:
/// trims, sets the case of known families and of their names, resolves a short
/// SHA where `known` is given. Also reads URLs and short forms ("octo/repo#12"
/// is a pull request, "ENG-42", 40 hex digits, a traceparent). Other texts stay
/// as they are; nothing for an empty, an unprintable or a too long one, nor for
/// what names a pull request, an issue or a commit and is none: "git:sha:12".
std::optional<std::string> normalise_key(std::string_view text,
                                         const sha_lookup& known = {});

bool is_digits(std::string_view text) noexcept;
std::string lower(std::string_view text);
std::string upper(std::string_view text);
/// At most nine digits, not zero and without leading zeros.
std::optional<uint64_t> parse_number(std::string_view digits) noexcept;

} // namespace eventweft::correlation
