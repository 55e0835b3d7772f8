// SPDX-License-Identifier: Apache-2.0
// Precision and recall on the labelled corpus in tests/corpus/correlation.
#include "codec/json_text.hpp"
#include "tests/unit/correlation/join_support.hpp"
#include "tests/unit/correlation/support.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>

namespace eventweft::correlation {
namespace {

using namespace testing;
using simdjson::dom::element;

constexpr double wanted_precision = 0.99;
constexpr double wanted_recall = 0.97;
constexpr size_t wanted_cases = 500;

struct score {
  size_t right = 0;
  size_t wrong = 0;
  size_t missed = 0;

  void add(const score& o) {
    right += o.right;
    wrong += o.wrong;
    missed += o.missed;
  }
  double precision() const {
    return right + wrong == 0 ? 1
                              : static_cast<double>(right) /
                                    static_cast<double>(right + wrong);
  }
  double recall() const {
    return right + missed == 0 ? 1
                               : static_cast<double>(right) /
                                     static_cast<double>(right + missed);
  }
};

std::vector<std::string> lines_of(const std::string& name) {
  std::ifstream in{std::string{EVENTWEFT_SOURCE_DIR} +
                   "/tests/corpus/correlation/" + name};
  EXPECT_TRUE(in) << name;
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    if (!line.empty())
      out.push_back(line);
  return out;
}

// A pull request and an issue never have the same number, so a reference to
// either is one reference.
std::string one_number(std::string key) {
  for (std::string_view family :
       {"github:pr|issue:", "github:pr:", "github:issue:"})
    if (key.starts_with(family))
      return "github:" + key.substr(family.size());
  return key;
}

std::string quoted(std::string_view text) {
  std::string out;
  codec::append_quoted(out, text);
  return out;
}

// The teams of the corpus' company, and one channel of its Slack.
void teach(vocabulary& known) {
  for (std::string_view team : {"ENG", "OPS", "WEB", "PAY", "DES"})
    known.learn_team(team);
  known.learn("slack:channel:C024BE91L", "T0001");
}

event wrap(std::string_view where, std::string_view text) {
  const std::string repo =
      R"("repository":{"full_name":"octo/repo","default_branch":"main",
         "html_url":"https://github.com/octo/repo"})";
  const auto pr = [&](std::string_view member,
                      std::string_view user =
                          R"({"login":"al","type":"User"})") {
    return make_event("github", "pull_request:opened",
                      "{" + repo + R"(,"pull_request":{"number":999999,
        "user":)" + std::string{user} +
                          "," + std::string{member} + "}}");
  };
  if (where == "agent_body")
    return pr("\"title\":\"x\",\"body\":" + quoted(text),
              R"({"login":"Copilot","type":"Bot"})");
  if (where == "updater_body")
    return pr("\"title\":\"x\",\"body\":" + quoted(text),
              R"({"login":"renovate[bot]","type":"Bot"})");
  if (where == "github_body")
    return pr("\"title\":\"x\",\"body\":" + quoted(text));
  if (where == "github_title")
    return pr("\"title\":" + quoted(text));
  if (where == "branch")
    return pr(R"("head":{"repo":{"full_name":"octo/repo",
       "default_branch":"main"},"ref":)" +
              quoted(text) + "}");
  if (where == "commit")
    return make_event("github", "push",
                      "{" + repo + R"(,"ref":"refs/heads/main","commits":[{
        "message":)" + quoted(text) +
                          "}]}");
  if (where == "slack")
    return make_event("slack", "message",
                      R"({"team_id":"T0001","event":{"type":"message",
        "channel":"C9","ts":"1700000000.000000","text":)" +
                          quoted(text) + "}}");
  if (where == "linear")
    return make_event("linear", "Comment:create",
                      R"({"data":{"issueId":
        "00000000-0000-0000-0000-000000000001","body":)" +
                          quoted(text) + "}}");
  ADD_FAILURE() << "an unknown place: " << where;
  return {};
}

bool is_frame(std::string_view key) {
  return key == "github:octo/repo#999999" || key.starts_with("git:branch:") ||
         key == "slack:thread:T0001:C9:1700000000.000000" ||
         key == "linear:id:00000000-0000-0000-0000-000000000001";
}

std::string joined(const std::set<std::string>& keys) {
  std::string out;
  for (const auto& k : keys)
    out += " " + k;
  return out.empty() ? " nothing" : out;
}

score score_text(bench& b, element line) {
  const auto text = text_of(line, "text");
  std::set<std::string> expected;
  for (const auto key : line["expect"].get_array())
    expected.insert(one_number(std::string{key.get_string().value()}));
  std::set<std::string> found;
  for (const auto& key : b.links(wrap(text_of(line, "in"), text)))
    if (auto one = one_number(key); !is_frame(one))
      found.insert(std::move(one));
  score s;
  for (const auto& key : found)
    ++(expected.contains(key) ? s.right : s.wrong);
  for (const auto& key : expected)
    s.missed += found.contains(key) ? 0 : 1;
  if (s.wrong + s.missed > 0)
    std::printf("  %.*s: \"%.*s\"\n    found%s\n    expected%s\n",
                static_cast<int>(text_of(line, "in").size()),
                text_of(line, "in").data(),
                static_cast<int>(std::min<size_t>(text.size(), 300)),
                text.data(), joined(found).c_str(), joined(expected).c_str());
  return s;
}

// Pairs of events that are in one thread and should be, and so on.
score score_set(element line) {
  bench b;
  b.known = std::make_shared<vocabulary>();
  b.rules = engine{b.known, {}};
  memory_index index;
  std::vector<std::string> labels;
  std::vector<uuid> ids;
  for (const auto item : line["events"].get_array()) {
    const auto metadata = child(item, "metadata");
    auto e = make_event(std::string{text_of(item, "platform")},
                        std::string{text_of(item, "type")},
                        simdjson::minify(item["payload"].value()),
                        metadata ? simdjson::minify(*metadata) : "{}");
    if (const auto id = text_of(item, "event_id"); !id.empty())
      e.event_id = std::string{id};
    else
      e.event_id = "delivery-" + std::to_string(ids.size());
    ids.push_back(id_of(ids.size() + 1));
    labels.emplace_back(text_of(item, "thread"));
    const std::vector<joined_event> batch{
        {ids.back(), timestamp{std::chrono::seconds{ids.size()}}, b.all(e)}};
    EXPECT_TRUE(join_all(index, batch));
  }
  score s;
  for (size_t i = 0; i < ids.size(); ++i)
    for (size_t j = i + 1; j < ids.size(); ++j) {
      const bool should = !labels[i].empty() && labels[i] == labels[j];
      const auto x = index.thread_of(ids[i]);
      const bool does = x && x == index.thread_of(ids[j]);
      if (should && does)
        ++s.right;
      else if (does)
        ++s.wrong;
      else if (should)
        ++s.missed;
      if (should != does)
        std::printf("  set \"%.*s\": events %zu and %zu %s\n",
                    static_cast<int>(text_of(line, "note").size()),
                    text_of(line, "note").data(), i + 1, j + 1,
                    does ? "joined, but are two works"
                         : "are one work, but apart");
    }
  return s;
}

void print(const char* name, size_t cases, const score& s) {
  std::printf("%-22s %5zu cases  %5zu right  %3zu wrong  %3zu missed  "
              "precision %.4f  recall %.4f\n",
              name, cases, s.right, s.wrong, s.missed, s.precision(),
              s.recall());
}

TEST(corpus, precision_and_recall) {
  score all;
  size_t cases = 0;
  simdjson::dom::parser parser;
  bench b;
  b.known = std::make_shared<vocabulary>();
  teach(*b.known);
  b.rules = engine{b.known, {}};
  for (const char* file :
       {"github_bodies", "github_titles", "branches", "commits", "slack",
        "linear", "mixed", "mixed_more", "bots"}) {
    score s;
    const auto lines = lines_of(std::string{file} + ".jsonl");
    for (const auto& line : lines)
      s.add(score_text(b, parser.parse(line).value()));
    print(file, lines.size(), s);
    cases += lines.size();
    all.add(s);
  }
  print("all texts", cases, all);
  EXPECT_GE(all.precision(), wanted_precision);
  EXPECT_GE(all.recall(), wanted_recall);

  score pairs;
  const auto sets = lines_of("event_sets.jsonl");
  for (const auto& line : sets)
    pairs.add(score_set(parser.parse(line).value()));
  print("pairs of events", sets.size(), pairs);
  EXPECT_GE(pairs.precision(), wanted_precision);
  EXPECT_GE(pairs.recall(), wanted_recall);
  EXPECT_GE(cases + sets.size(), wanted_cases);
}

} // namespace
} // namespace eventweft::correlation
