// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/token_shapes.hpp"

#include "config/token_owners.hpp"

#include <algorithm>

namespace eventweft::platforms {

namespace {

enum class alphabet { word, dotted, base64, url, alnum, hex, digits_upper };

/// A token: a fixed start, then so many characters of an alphabet.
struct shape {
  std::string_view owner;
  std::string_view start;
  alphabet letters = alphabet::word;
  size_t min_length = 0; ///< of what follows `start`
};

constexpr const auto& owners = config::token_owners;
static_assert(owners.size() < 64);

// As their owners document them, for secret scanners. What could as well be
// another's word is not here.
constexpr std::array shapes_by_owner{
    shape{"age", "AGE-SECRET-KEY-1", alphabet::digits_upper, 58},
    shape{"anthropic", "sk-ant-", alphabet::word, 40},
    shape{"atlassian", "ATATT3xFfG", alphabet::url, 100},
    shape{"atlassian", "ATCTT3xFfG", alphabet::url, 100},
    shape{"aws", "ABIA", alphabet::digits_upper, 16},
    shape{"aws", "ABSK", alphabet::base64, 100},
    shape{"aws", "ACCA", alphabet::digits_upper, 16},
    shape{"aws", "AKIA", alphabet::digits_upper, 16},
    shape{"aws", "ASIA", alphabet::digits_upper, 16},
    shape{"cloudflare", "cfat_", alphabet::alnum, 40},
    shape{"cloudflare", "cfk_", alphabet::alnum, 40},
    shape{"cloudflare", "cfut_", alphabet::alnum, 40},
    shape{"databricks", "dapi", alphabet::hex, 32},
    shape{"digitalocean", "doo_v1_", alphabet::hex, 64},
    shape{"digitalocean", "dop_v1_", alphabet::hex, 64},
    shape{"digitalocean", "dor_v1_", alphabet::hex, 64},
    shape{"discord", "M", alphabet::dotted, 0},
    shape{"discord", "N", alphabet::dotted, 0},
    shape{"discord", "O", alphabet::dotted, 0},
    shape{"discord", "discord.com/api/webhooks/", alphabet::url, 60},
    shape{"discord", "discordapp.com/api/webhooks/", alphabet::url, 60},
    shape{"docker", "dckr_oat_", alphabet::word, 32},
    shape{"docker", "dckr_pat_", alphabet::word, 27},
    shape{"doppler", "dp.audit.", alphabet::dotted, 40},
    shape{"doppler", "dp.ct.", alphabet::dotted, 40},
    shape{"doppler", "dp.pt.", alphabet::dotted, 40},
    shape{"doppler", "dp.sa.", alphabet::dotted, 40},
    shape{"doppler", "dp.scim.", alphabet::dotted, 40},
    shape{"doppler", "dp.st.", alphabet::dotted, 40},
    shape{"figma", "figd_", alphabet::word, 40},
    shape{"github", "ghp_", alphabet::word, 36},
    shape{"github", "gho_", alphabet::word, 36},
    shape{"github", "ghu_", alphabet::word, 36},
    // Newer ones hold a JSON Web Token.
    shape{"github", "ghs_", alphabet::dotted, 36},
    shape{"github", "ghr_", alphabet::word, 36},
    shape{"github", "github_pat_", alphabet::word, 60},
    shape{"gitlab", "glagent-", alphabet::word, 20},
    shape{"gitlab", "glcbt-", alphabet::word, 20},
    shape{"gitlab", "gldt-", alphabet::dotted, 20},
    shape{"gitlab", "glffct-", alphabet::word, 20},
    shape{"gitlab", "glft-", alphabet::word, 20},
    shape{"gitlab", "glimt-", alphabet::word, 20},
    shape{"gitlab", "gloas-", alphabet::word, 40},
    shape{"gitlab", "glpat-", alphabet::dotted, 20},
    shape{"gitlab", "glptt-", alphabet::word, 20},
    shape{"gitlab", "glrt-", alphabet::dotted, 20},
    shape{"gitlab", "glsoat-", alphabet::word, 20},
    shape{"gitlab", "GR1348941", alphabet::word, 20},
    shape{"google", "1//0", alphabet::word, 40},
    shape{"google", "AIza", alphabet::word, 35},
    shape{"google", "GOCSPX-", alphabet::word, 28},
    shape{"google", "ya29.", alphabet::dotted, 20},
    shape{"grafana", "glc_eyJ", alphabet::base64, 32},
    shape{"grafana", "glsa_", alphabet::word, 40},
    shape{"groq", "gsk_", alphabet::alnum, 48},
    shape{"hashicorp", "hvb.", alphabet::word, 100},
    shape{"hashicorp", "hvs.", alphabet::word, 24},
    shape{"huggingface", "api_org_", alphabet::alnum, 34},
    shape{"huggingface", "hf_", alphabet::alnum, 34},
    shape{"jwt", "eyJ", alphabet::dotted, 40},
    shape{"linear", "lin_api_", alphabet::word, 32},
    shape{"linear", "lin_oauth_", alphabet::word, 32},
    shape{"linear", "lin_wh_", alphabet::word, 32},
    shape{"newrelic", "NRAK-", alphabet::digits_upper, 27},
    shape{"newrelic", "NRII-", alphabet::word, 32},
    shape{"notion", "ntn_", alphabet::alnum, 40},
    shape{"notion", "secret_", alphabet::alnum, 43},
    shape{"npm", "npm_", alphabet::word, 36},
    shape{"openai", "sk-", alphabet::alnum, 48},
    shape{"openai", "sk-admin-", alphabet::word, 40},
    shape{"openai", "sk-proj-", alphabet::word, 40},
    shape{"openai", "sk-svcacct-", alphabet::word, 40},
    shape{"perplexity", "pplx-", alphabet::alnum, 40},
    shape{"planetscale", "pscale_oauth_", alphabet::dotted, 32},
    shape{"planetscale", "pscale_pw_", alphabet::dotted, 32},
    shape{"planetscale", "pscale_tkn_", alphabet::dotted, 32},
    shape{"postman", "PMAK-", alphabet::word, 50},
    shape{"private_key", "-----BEGIN ", alphabet::word, 0},
    shape{"pulumi", "pul-", alphabet::hex, 40},
    shape{"pypi", "pypi-AgE", alphabet::word, 50},
    shape{"replicate", "r8_", alphabet::alnum, 37},
    shape{"rubygems", "rubygems_", alphabet::hex, 48},
    shape{"sendgrid", "SG.", alphabet::dotted, 60},
    shape{"sentry", "sntrys_eyJ", alphabet::url, 60},
    shape{"sentry", "sntryu_", alphabet::hex, 64},
    shape{"shopify", "shpat_", alphabet::hex, 32},
    shape{"shopify", "shpca_", alphabet::hex, 32},
    shape{"shopify", "shppa_", alphabet::hex, 32},
    shape{"shopify", "shpss_", alphabet::hex, 32},
    shape{"shopify", "shpua_", alphabet::hex, 32},
    // Webhooks, slash commands' answers, workflows and their triggers.
    shape{"slack", "hooks.slack.com/", alphabet::url, 28},
    shape{"slack", "hooks.slack-gov.com/", alphabet::url, 28},
    shape{"slack", "xapp-", alphabet::word, 20},
    shape{"slack", "xoxa-", alphabet::word, 20},
    shape{"slack", "xoxb-", alphabet::word, 20},
    shape{"slack", "xoxc-", alphabet::word, 20},
    shape{"slack", "xoxd-", alphabet::url, 20},
    shape{"slack", "xoxe-", alphabet::word, 20},
    shape{"slack", "xoxe.", alphabet::dotted, 20},
    shape{"slack", "xoxo-", alphabet::word, 20},
    shape{"slack", "xoxp-", alphabet::word, 20},
    shape{"slack", "xoxr-", alphabet::word, 20},
    shape{"slack", "xoxs-", alphabet::word, 20},
    shape{"slack", "xwfp-", alphabet::word, 20},
    shape{"square", "sq0atp-", alphabet::word, 22},
    shape{"square", "sq0csp-", alphabet::word, 43},
    shape{"stripe", "rk_live_", alphabet::word, 20},
    shape{"stripe", "rk_test_", alphabet::word, 20},
    shape{"stripe", "sk_live_", alphabet::word, 20},
    shape{"stripe", "sk_test_", alphabet::word, 20},
    shape{"stripe", "whsec_", alphabet::base64, 24},
    shape{"supabase", "sb_secret_", alphabet::word, 30},
    shape{"supabase", "sbp_", alphabet::hex, 40},
    shape{"telegram", "AA", alphabet::word, 33},
    shape{"twilio", "SK", alphabet::hex, 32},
    shape{"vercel", "vca_", alphabet::word, 56},
    shape{"vercel", "vci_", alphabet::word, 56},
    shape{"vercel", "vck_", alphabet::word, 56},
    shape{"vercel", "vcp_", alphabet::word, 56},
    shape{"vercel", "vcr_", alphabet::word, 56},
    shape{"vercel", "vercel_blob_rw_", alphabet::word, 30},
    shape{"xai", "xai-", alphabet::alnum, 70},
};

constexpr size_t index_of(std::string_view owner) {
  size_t i = 0;
  while (i < owners.size() && owners[i] != owner)
    ++i;
  return i;
}

static_assert(std::ranges::all_of(shapes_by_owner, [](const shape& s) {
  return index_of(s.owner) < owners.size();
}));

static_assert(std::ranges::all_of(owners, [](std::string_view owner) {
  return std::ranges::find(shapes_by_owner, owner, &shape::owner) !=
         shapes_by_owner.end();
}));

constexpr owner_set bit_of(std::string_view owner) {
  return owner_set{1} << index_of(owner);
}

struct known_shape {
  shape is;
  owner_set owner = 0;
};

constexpr size_t byte_of(const known_shape& s) {
  return static_cast<unsigned char>(s.is.start.front());
}

// By their first bytes, so that few are compared with a word.
constexpr auto shapes_known = [] {
  std::array<known_shape, shapes_by_owner.size()> sorted{};
  for (size_t i = 0; i < sorted.size(); ++i)
    sorted[i] = {shapes_by_owner[i], bit_of(shapes_by_owner[i].owner)};
  std::ranges::sort(sorted, {}, byte_of);
  return sorted;
}();

// Where in `shapes_known` those of a first byte begin.
constexpr auto begin_of = [] {
  std::array<size_t, 257> out{};
  for (size_t byte = 0; byte < out.size(); ++byte)
    while (out[byte] < shapes_known.size() &&
           byte_of(shapes_known[out[byte]]) < byte)
      ++out[byte];
  return out;
}();

bool fits(alphabet letters, char c) noexcept {
  const bool digit = c >= '0' && c <= '9';
  const bool upper = c >= 'A' && c <= 'Z';
  const bool lower = c >= 'a' && c <= 'z';
  const bool joint = c == '_' || c == '-';
  switch (letters) {
  case alphabet::digits_upper:
    return digit || upper;
  case alphabet::alnum:
    return digit || upper || lower;
  case alphabet::hex:
    return digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  case alphabet::word:
    return digit || upper || lower || joint;
  case alphabet::dotted:
    return digit || upper || lower || joint || c == '.';
  case alphabet::base64:
    return digit || upper || lower || c == '+' || c == '/' || c == '=';
  case alphabet::url:
    return digit || upper || lower || joint || c == '+' || c == '/' ||
           c == '=' || c == '%';
  }
  return false;
}

// The length of a private key in PEM from its first line to its last; one that
// is cut short ends with the text.
size_t pem_length(std::string_view text) noexcept {
  const auto label_end = text.find("-----", 11);
  if (label_end == std::string_view::npos ||
      text.substr(0, label_end).find("PRIVATE KEY") == std::string_view::npos)
    return 0;
  const auto last = text.find("-----END ", label_end);
  if (last == std::string_view::npos)
    return text.size();
  const auto end = text.find("-----", last + 9);
  return end == std::string_view::npos ? text.size() : end + 5;
}

// A bot's token: its id's digits in Base64, a time and a proof.
size_t discord_length(std::string_view text) noexcept {
  constexpr std::array<std::string_view, 4> of_digits{
      "MNO", "DTjz", "AEIMQUYcgk", "wxyz012345"};
  constexpr size_t surely_digits = 20;
  if (text.size() < surely_digits)
    return 0;
  for (size_t i = 0; i < surely_digits; ++i)
    if (of_digits[i % 4].find(text[i]) == std::string_view::npos)
      return 0;
  const auto part_end = [text](size_t from) {
    while (from < text.size() && fits(alphabet::word, text[from]))
      ++from;
    return from;
  };
  const auto id = part_end(0);
  const auto time = part_end(std::min(id + 1, text.size()));
  const auto proof = part_end(std::min(time + 1, text.size()));
  const bool parts = id <= 28 && time < text.size() && text[id] == '.' &&
                     text[time] == '.' && time - id == 7 && proof - time >= 28;
  return parts ? proof : 0;
}

// A bot's id comes before it, and is no secret.
bool follows_bot_id(std::string_view text, size_t at) noexcept {
  constexpr size_t fewest_digits = 6;
  if (at <= fewest_digits || text[at - 1] != ':')
    return false;
  return std::ranges::all_of(text.substr(at - 1 - fewest_digits, fewest_digits),
                             [](char c) { return c >= '0' && c <= '9'; });
}

// Whether the dot at `at` is the end of a sentence, not a part of a token.
bool is_full_stop(const shape& s, std::string_view text, size_t at) noexcept {
  return at + 1 >= text.size() || text[at + 1] == '.' ||
         !fits(s.letters, text[at + 1]);
}

size_t token_length(const shape& s, std::string_view text) noexcept {
  if (s.owner == "private_key")
    return pem_length(text);
  if (s.owner == "discord" && s.start.size() == 1)
    return discord_length(text);
  const bool is_jwt = s.owner == "jwt";
  size_t dots = 0;
  size_t end = s.start.size();
  for (; end < text.size() && fits(s.letters, text[end]); ++end) {
    if (text[end] != '.')
      continue;
    if (!is_jwt) {
      if (is_full_stop(s, text, end))
        break;
      continue;
    }
    // A JSON Web Token has three parts. What has more is not read to its end,
    // for each part may begin like a token.
    if (dots == 2 && !is_full_stop(s, text, end))
      return 0;
    if (dots == 2)
      break;
    ++dots;
  }
  if (end - s.start.size() < s.min_length || (is_jwt && dots != 2))
    return 0;
  return end;
}

} // namespace

const owner_set all_owners = (owner_set{1} << owners.size()) - 1;

owner_set owner_of(std::string_view name) noexcept {
  return bit_of(name) & all_owners;
}

std::array<bool, 256> first_bytes(owner_set set) noexcept {
  std::array<bool, 256> out{};
  for (const auto& s : shapes_known)
    if ((s.owner & set) != 0)
      out[byte_of(s)] = true;
  return out;
}

found_token find_token(std::string_view text, size_t at,
                       owner_set set) noexcept {
  const auto rest = text.substr(at);
  if (rest.empty())
    return {};
  const auto byte = static_cast<unsigned char>(rest.front());
  for (size_t i = begin_of[byte]; i < begin_of[byte + 1u]; ++i) {
    const auto& [s, owner] = shapes_known[i];
    if ((owner & set) == 0 || !rest.starts_with(s.start) ||
        (s.owner == "telegram" && !follows_bot_id(text, at)))
      continue;
    if (const auto length = token_length(s, rest); length > 0)
      return {s.owner, length};
  }
  return {};
}

bool is_word_byte(char c) noexcept {
  return fits(alphabet::word, c);
}

} // namespace eventweft::platforms
