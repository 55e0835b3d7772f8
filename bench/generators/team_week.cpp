// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/team_week.hpp"

#include "bench/generators/github_filling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace eventweft::bench {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 4> repos{"octo/shop", "octo/api",
                                                "octo/web", "octo/infra"};
constexpr std::array<std::string_view, 5> teams{"ENG", "PAY", "WEB", "OPS",
                                                "MOB"};
constexpr std::array<std::string_view, 5> people{"alice", "bob", "carol", "dan",
                                                 "erin"};
constexpr std::array<std::string_view, 8> things{
    "login loop",     "slow checkout", "empty cart", "UTF-8 names",
    "invoice export", "retry on 502",  "dark mode",  "session cache"};

// SplitMix64, so that every machine writes the same week.
class dice {
 public:
  explicit dice(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(next() % n); }
  bool chance(uint32_t of_1000) { return below(1'000) < of_1000; }
  std::string sha() {
    return fmt::format("{:016x}{:016x}{:08x}", next(), next(),
                       static_cast<uint32_t>(next()));
  }
  std::string id() {
    return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                       static_cast<uint32_t>(next()), next() & 0xffff,
                       next() & 0xfff, next() & 0xfff, next() & 0xffffffffffff);
  }

 private:
  uint64_t state_;
};

struct pull {
  std::string_view repo;
  uint32_t number;
  std::string branch;
  std::string head;
  std::string base;
  std::string title;
  std::string body;
  std::string merged;
};

struct issue {
  std::string name;
  std::string id;
  std::string team;
};

class writer {
 public:
  explicit writer(const week_options& o) : options_(o), dice_(o.seed) {
    for (auto& sha : main_)
      sha = dice_.sha();
  }

  std::vector<week_event> write() {
    for (work_ = 1; work_ <= options_.works; ++work_) {
      now_ = options_.start + seconds{dice_.below(5 * 24 * 3'600)};
      switch (dice_.below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        story();
        break;
      case 4:
      case 5:
        github_story();
        break;
      case 6:
        incident();
        break;
      case 7:
        chat();
        break;
      case 8:
        bot_update();
        break;
      default:
        plain_push();
      }
      if (dice_.chance(60))
        noise();
    }
    return arrive();
  }

 private:
  // -- what happens -----------------------------------------------------------

  void story() {
    const auto it = new_issue();
    // Talk may come before the issue is filed.
    const bool talk_first = dice_.chance(300);
    std::string asked;
    if (talk_first)
      asked = say(fmt::format("{} is back, filed as {}", thing(), it.name));
    linear_issue(it, "create");
    if (dice_.chance(500))
      linear_issue(it, "update");
    auto pr = new_pull();
    switch (dice_.below(4)) {
    case 0:
      pr.title = fmt::format("{}: {}", it.name, thing());
      break;
    case 1:
      pr.body = fmt::format("Fixes {}\\n\\nSee the test.", it.name);
      break;
    case 2:
      pr.body = fmt::format("https://linear.app/acme/issue/{}/x", it.name);
      break;
    default:
      pr.branch = fmt::format("{}/{}-{}", person(), folded(it.name),
                              dice_.below(100'000));
    }
    work_on(pr);
    if (dice_.chance(300))
      linear_attachment(it, pr);
    const auto review = ask_for_review(pr, it.name);
    merge(pr);
    deploy(pr);
    if (dice_.chance(400))
      linear_comment(it);
    if (!asked.empty())
      reply(asked, "fixed, thanks");
    if (dice_.chance(200))
      reply(review, "shipped");
  }

  void github_story() {
    auto pr = new_pull();
    const auto number = next_number();
    github_issue(pr.repo, number, "opened");
    if (dice_.chance(400))
      issue_comment(pr.repo, number, false, "same here");
    pr.body = fmt::format("Closes #{}", number);
    work_on(pr);
    merge(pr);
    github_issue(pr.repo, number, "closed");
    if (dice_.chance(500))
      deploy(pr);
  }

  void incident() {
    const auto it = new_issue();
    const auto alarm =
        say(":rotating_light: checkout errors, opening " + it.name);
    linear_issue(it, "create");
    for (uint32_t n = dice_.below(6); n > 0; --n)
      reply(alarm, "looking");
    auto pr = new_pull();
    pr.branch = "hotfix/" + pr.branch;
    pass(minutes{20});
    reply(alarm, fmt::format("fix: <https://github.com/{}/pull/{}>", pr.repo,
                             pr.number));
    work_on(pr);
    merge(pr);
    deploy(pr);
    reply(alarm, "all green");
  }

  void chat() {
    const auto root = say("anyone for lunch? also, please use UTF-8");
    for (uint32_t n = dice_.below(5); n > 0; --n)
      reply(root, "me");
    react(root);
  }

  void bot_update() {
    auto pr = new_pull();
    pr.branch = fmt::format("dependabot/npm_and_yarn/vite-5.0.{}",
                            dice_.below(100'000));
    pr.title = "Bump vite from 5.0.1 to 5.0.2";
    pr.body = "Release notes: fixes vitejs/vite#15100, closes ENG-1";
    pull_request(pr, "opened", "dependabot[bot]");
    check(pr.repo, pr.head, pr.branch, pr.number);
    pull_request(pr, "closed", "dependabot[bot]");
  }

  void plain_push() {
    const auto repo = any_repo();
    const auto sha = dice_.sha();
    push_main(repo, sha, "Fix typo");
    check(repo, sha, "main", 0);
  }

  // Part of no work: lists, stars.
  void noise() {
    const auto own = std::exchange(work_, 0u);
    if (dice_.chance(500)) {
      std::string text = "stand-up:";
      for (size_t i = 0; i < teams.size(); ++i)
        text += fmt::format(" {}-{}", teams[i], 1 + dice_.below(issues_ + 1));
      // A message is a thread of its own.
      work_ = alone_--;
      say(text);
    } else {
      github(any_repo(), "star:created", R"("action":"created")");
    }
    work_ = own;
  }

  // -- parts of it ------------------------------------------------------------

  void work_on(pull& pr) {
    if (dice_.chance(300))
      github(pr.repo, "push",
             fmt::format(R"("ref":"refs/heads/{}","before":"{}","after":"{}",)"
                         R"("commits":[{{"id":"{}","message":"wip"}}])",
                         pr.branch, std::string(40, '0'), pr.head, pr.head));
    pull_request(pr, "opened");
    check(pr.repo, pr.head, pr.branch, pr.number);
    for (uint32_t n = dice_.below(3); n > 0; --n) {
      const auto before = std::exchange(pr.head, dice_.sha());
      pull_request(pr, "synchronize", {}, before);
      check(pr.repo, pr.head, pr.branch, pr.number);
    }
    if (dice_.chance(200)) {
      // Main's latest commit comes along; it is another work's.
      const auto merged = dice_.sha();
      github(pr.repo, "push",
             fmt::format(R"("ref":"refs/heads/{}","before":"{}","after":"{}",)"
                         R"("commits":[{{"id":"{}","distinct":false,)"
                         R"("message":"Fixes #1"}},{{"id":"{}",)"
                         R"("distinct":true,"message":"Merge branch )"
                         R"('main' into {}"}}])",
                         pr.branch, pr.head, merged, main_of(pr.repo), merged,
                         pr.branch));
    }
    if (dice_.chance(600))
      review(pr);
    if (dice_.chance(300))
      issue_comment(pr.repo, pr.number, true, "nice, LGTM");
  }

  std::string ask_for_review(const pull& pr, std::string_view name) {
    pass(minutes{5});
    switch (dice_.below(3)) {
    case 0:
      return say(fmt::format("review please <https://github.com/{}/pull/{}|{}>",
                             pr.repo, pr.number, pr.title));
    case 1:
      return say(fmt::format("{} is ready: {}#{}", name, pr.repo, pr.number));
    default:
      return say(fmt::format("eyes on {} please", name));
    }
  }

  void merge(pull& pr) {
    pass(hours{1});
    pr.merged = dice_.sha();
    pull_request(pr, "closed");
    push_main(pr.repo, pr.merged, fmt::format("{} (#{})", pr.title, pr.number));
    check(pr.repo, pr.merged, "main", 0);
  }

  void deploy(const pull& pr) {
    const auto id = fmt::format("dep-{}", dice_.id());
    for (std::string_view status : {"in_progress", "success"}) {
      pass(minutes{3});
      add("deployments", fmt::format("deployment:{}", status),
          fmt::format(R"({{"deployment_id":"{}","environment":"production",)"
                      R"("status":"{}","repository_name":"{}",)"
                      R"("commit_sha":"{}","branch_name":"main",)"
                      R"("pull_request":{}}})",
                      id, status, pr.repo, pr.merged,
                      dice_.chance(500) ? std::to_string(pr.number) : "null"));
    }
  }

  // -- GitHub -----------------------------------------------------------------

  void github(std::string_view repo, std::string type, std::string members) {
    add("github", std::move(type),
        fmt::format(
            R"({{{},"repository":{{"full_name":"{}",)"
            R"("html_url":"https://github.com/{}",)"
            R"("default_branch":"main"}},"sender":{{"login":"{}"}}{}}})",
            members, repo, repo, person(), filling(repo)));
  }

  std::string filling(std::string_view repo) {
    if (options_.filling == 0)
      return {};
    return R"(,"filling":)" +
           github_filling(repo, dice_.sha(), options_.filling);
  }

  std::string pull_json(const pull& pr, std::string_view author) {
    return fmt::format(
        R"({{"number":{},"html_url":"https://github.com/{}/pull/{}",)"
        R"("title":"{}","body":"{}","user":{{"login":"{}","type":"{}"}},)"
        R"("merged_at":{},"merge_commit_sha":{},"head":{{"ref":"{}",)"
        R"("sha":"{}","repo":{{"full_name":"{}","default_branch":"main"}}}},)"
        R"("base":{{"ref":"main","sha":"{}"}}}})",
        pr.number, pr.repo, pr.number, pr.title, pr.body,
        author.empty() ? person() : author,
        author.ends_with("[bot]") ? "Bot" : "User",
        pr.merged.empty() ? "null" : "\"2026-01-31T12:00:00Z\"",
        pr.merged.empty() ? "null" : "\"" + pr.merged + "\"", pr.branch,
        pr.head, pr.repo, pr.base);
  }

  void pull_request(const pull& pr, std::string_view action,
                    std::string_view author = {},
                    std::string_view before = {}) {
    pass(minutes{2});
    auto members = fmt::format(R"("action":"{}","number":{},)"
                               R"("pull_request":{})",
                               action, pr.number, pull_json(pr, author));
    if (!before.empty())
      members += fmt::format(R"(,"before":"{}","after":"{}")", before, pr.head);
    github(pr.repo, fmt::format("pull_request:{}", action), std::move(members));
  }

  void review(const pull& pr) {
    pass(minutes{30});
    github(pr.repo, "pull_request_review:submitted",
           fmt::format(R"("action":"submitted","review":{{"body":"LGTM",)"
                       R"("user":{{"login":"bob"}}}},"pull_request":{})",
                       pull_json(pr, {})));
  }

  void check(std::string_view repo, std::string_view sha,
             std::string_view branch, uint32_t number) {
    std::string prs;
    if (number != 0)
      prs = fmt::format(R"({{"number":{},"url":)"
                        R"("https://api.github.com/repos/{}/pulls/{}"}})",
                        number, repo, number);
    for (std::string_view kind : {"check_suite", "workflow_run"}) {
      pass(minutes{1});
      github(repo, fmt::format("{}:completed", kind),
             fmt::format(R"("action":"completed","{}":{{"head_sha":"{}",)"
                         R"("head_branch":"{}","pull_requests":[{}]}})",
                         kind, sha, branch, prs));
    }
  }

  void push_main(std::string_view repo, const std::string& sha,
                 std::string_view message) {
    pass(seconds{20});
    auto& last = main_of(repo);
    github(repo, "push",
           fmt::format(R"("ref":"refs/heads/main","before":"{}","after":"{}",)"
                       R"("commits":[{{"id":"{}","distinct":true,)"
                       R"("message":"{}"}}])",
                       last, sha, sha, message));
    last = sha;
  }

  void github_issue(std::string_view repo, uint32_t number,
                    std::string_view action) {
    pass(minutes{10});
    github(repo, fmt::format("issues:{}", action),
           fmt::format(R"("action":"{}","issue":{{"number":{},"title":"{}",)"
                       R"("body":"It breaks.","user":{{"login":"erin"}}}})",
                       action, number, thing()));
  }

  void issue_comment(std::string_view repo, uint32_t number, bool on_pull,
                     std::string_view body) {
    pass(minutes{15});
    github(repo, "issue_comment:created",
           fmt::format(R"("action":"created","issue":{{"number":{}{}}},)"
                       R"("comment":{{"body":"{}","user":{{"login":"dan"}}}})",
                       number, on_pull ? R"(,"pull_request":{})" : "", body));
  }

  // -- Linear, Slack ----------------------------------------------------------

  void linear_issue(const issue& it, std::string_view action) {
    pass(minutes{7});
    add("linear", fmt::format("Issue:{}", action),
        fmt::format(R"({{"action":"{}","type":"Issue","data":{{"id":"{}",)"
                    R"("identifier":"{}","title":"{}","team":{{"key":"{}"}}}},)"
                    R"("url":"https://linear.app/acme/issue/{}/x"}})",
                    action, it.id, it.name, thing(), it.team, it.name));
  }

  void linear_comment(const issue& it) {
    pass(minutes{7});
    add("linear", "Comment:create",
        fmt::format(R"({{"type":"Comment","data":{{"id":"{}","body":"works",)"
                    R"("issueId":"{}","issue":{{"id":"{}"}}}}}})",
                    dice_.id(), it.id, it.id));
  }

  void linear_attachment(const issue& it, const pull& pr) {
    pass(seconds{5});
    add("linear", "Attachment:create",
        fmt::format(
            R"({{"type":"Attachment","data":{{"id":"{}",)"
            R"("issueId":"{}","url":"https://github.com/{}/pull/{}"}}}})",
            dice_.id(), it.id, pr.repo, pr.number));
  }

  std::string stamp() {
    return fmt::format("{}.{:06}", 1'700'000'000 + ++messages_,
                       dice_.below(1'000'000));
  }

  void message(const std::string& ts, const std::string& parent,
               std::string_view text) {
    add("slack", "message",
        fmt::format(R"({{"team_id":"T0001","event":{{"type":"message",)"
                    R"("channel":"C024BE91L","user":"U1","ts":"{}"{},)"
                    R"("text":"{}"}}}})",
                    ts,
                    parent.empty() ? std::string{}
                                   : ",\"thread_ts\":\"" + parent + "\"",
                    text));
  }

  std::string say(std::string_view text) {
    const auto ts = stamp();
    message(ts, {}, text);
    return ts;
  }

  void reply(const std::string& parent, std::string_view text) {
    pass(minutes{4});
    message(stamp(), parent, text);
  }

  void react(const std::string& ts) {
    pass(seconds{30});
    add("slack", "reaction_added",
        fmt::format(R"({{"team_id":"T0001","event":{{"type":)"
                    R"("reaction_added","item":{{"channel":"C024BE91L",)"
                    R"("ts":"{}"}}}}}})",
                    ts));
  }

  // -- names ------------------------------------------------------------------

  issue new_issue() {
    const auto team = teams[dice_.below(teams.size())];
    return {fmt::format("{}-{}", team, ++issues_), dice_.id(),
            std::string{team}};
  }

  pull new_pull() {
    pull pr;
    pr.repo = any_repo();
    pr.number = next_number();
    pr.branch = fmt::format("{}/topic-{}", person(), dice_.id().substr(0, 8));
    pr.head = dice_.sha();
    pr.base = main_of(pr.repo);
    pr.title = thing();
    return pr;
  }

  uint32_t next_number() { return ++numbers_; }
  std::string_view any_repo() { return repos[dice_.below(repos.size())]; }
  std::string_view person() { return people[dice_.below(people.size())]; }
  std::string thing() {
    return std::string{things[dice_.below(things.size())]};
  }
  std::string& main_of(std::string_view repo) {
    const auto at = std::find(repos.begin(), repos.end(), repo);
    return main_[static_cast<size_t>(at - repos.begin())];
  }
  static std::string folded(std::string text) {
    for (char& c : text)
      if (c >= 'A' && c <= 'Z')
        c = static_cast<char>(c + 32);
    return text;
  }

  // -- time -------------------------------------------------------------------

  template <class Duration>
  void pass(Duration about) {
    const auto most = std::chrono::duration_cast<microseconds>(about).count();
    now_ += microseconds{static_cast<int64_t>(
        dice_.next() % static_cast<uint64_t>(2 * most + 1))};
  }

  void add(std::string platform, std::string type, std::string payload) {
    auto& e = out_.emplace_back();
    e.event_id = dice_.id();
    e.platform = std::move(platform);
    e.event_type = std::move(type);
    e.payload = std::move(payload);
    e.at = now_;
    e.work = work_;
  }

  // In the order in which they come in: some late, some twice, and those of
  // one second in any order.
  std::vector<week_event> arrive() {
    std::vector<std::pair<timestamp, size_t>> order;
    for (size_t i = 0; i < out_.size(); ++i) {
      auto when = out_[i].at + microseconds{dice_.below(3'000'000)};
      if (dice_.chance(options_.late))
        when += minutes{60 + dice_.below(23 * 60)};
      order.emplace_back(when, i);
      if (dice_.chance(options_.retried))
        order.emplace_back(when + seconds{1 + dice_.below(600)}, i);
    }
    std::sort(order.begin(), order.end());
    std::vector<week_event> week;
    week.reserve(order.size());
    for (const auto& [when, i] : order)
      week.push_back(out_[i]);
    return week;
  }

  const week_options& options_;
  dice dice_;
  std::vector<week_event> out_;
  std::array<std::string, repos.size()> main_;
  timestamp now_{};
  uint32_t work_ = 0;
  uint32_t alone_ = UINT32_MAX;
  uint32_t issues_ = 0;
  uint32_t numbers_ = 0;
  uint32_t messages_ = 0;
};

} // namespace

std::vector<week_event> team_week(const week_options& options) {
  return writer{options}.write();
}

} // namespace eventweft::bench
