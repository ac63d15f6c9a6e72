"""The main window: joins tabs, menus, the settings panel and the status bar."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from app.document.document import Document
from app.editor.view import EditorView
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.infill.doubt import DoubtMarks
from app.infill.doubt_popup import DoubtPopup
from app.infill.suggester import Suggester
from app.panels.find_bar import FindBar
from app.panels.history_panel import HistoryPanel
from app.panels.infill_strip import InfillStrip
from app.panels.preset_bar import PresetBar
from app.panels.proposal_panel import ProposalPanel
from app.panels.settings_panel import SettingsPanel
from app.settings import Settings
from app.statusbar import StatusBar
from app.theme import Theme, Themes
from app.window import shape, style
from app.window.actions import Actions, make_commands
from app.window.asks import Asks, DialogAsks
from app.window.diff_dialog import DiffDialog
from app.window.docks import Docks
from app.window.drops import FileDrops
from app.window.engine_link import EngineLink
from app.window.engine_switch import EngineSwitch
from app.window.filing import Filing
from app.window.find_link import FindLink
from app.window.help import about_text, keys_text, show_page
from app.window.history_link import HistoryLink
from app.window.notices import NoticeBar
from app.window.proposal_link import ProposalLink
from app.window.run_estimate import RunEstimate
from app.window.settings_saver import SettingsSaver
from app.window.status_feed import StatusFeed
from app.window.tabs import Tab, Tabs
from engine.session import why_no_model
from engine.types import Failed, ModelReady

_TEXT_MENU = (
    *("infill.fill", "infill.refine", "infill.continue", "", "proposal.accept", "proposal.reject", ""),
    *("edit.cut", "edit.copy", "edit.paste", "", "edit.select_all"),
)


class MainWindow(QMainWindow):
    """The window. Its parts are public, for the code that joins them and for tests."""

    def __init__(self, settings: Settings, themes: Themes, bridge: EngineBridge, asks: Asks | None = None) -> None:
        super().__init__()
        self.settings, self.themes, self.bridge = settings, themes, bridge
        self.asks: Asks = asks or DialogAsks(self)
        self.setAcceptDrops(True)
        self.tabs, self.notices, self.status = Tabs(), NoticeBar(), StatusBar()
        self.panel, self.strip, self.presets = SettingsPanel(settings), InfillStrip(), PresetBar(settings)
        self.saver = SettingsSaver(settings, self)
        self.filing = Filing(self.tabs, self.asks, self._make_tab, self)
        self.drops = FileDrops(self.filing.open, self)
        self.engine = EngineLink(bridge, settings, self)
        self.feed = StatusFeed(self.status, self.tabs, self.filing, bridge, settings)
        self.estimate = RunEstimate(self.presets, settings, self.tabs, bridge)
        self.history_panel = HistoryPanel()
        self.history = HistoryLink(settings, self.tabs, self.filing, self.history_panel, self.asks)
        self.proposal_panel = ProposalPanel()
        self.proposal = ProposalLink(self.tabs, self.proposal_panel)
        self.finding = FindLink(self.tabs, FindBar())
        self._lay_out()
        self.docks = Docks(self)
        self.actions_ = Actions(make_commands(self), self.menuBar(), self)
        for label, command in (("Fill", "infill.fill"), ("Refine", "infill.refine"), ("Continue", "infill.continue")):
            self.strip.add(label, self.actions_.of(command), primary=label == "Fill")
        self._connect()
        self.proposal_panel.rewrite_asked.connect(lambda: self.actions_.commands.run("proposal.rewrite"))
        self._apply_theme(themes.current)
        shape.restore(self)
        self.switch = EngineSwitch(self)
        self.tabs.hint = self._hint()
        self._on_tab()

    # what commands and main ask for

    def open_paths(self, targets: list[tuple[Path, int | None, int]]) -> None:
        """Opens files, each at its line and column; an empty document when there is none."""
        for path, line, column in targets:
            self.filing.open(path, line, column)
        if not self.tabs.count():
            self.filing.new()

    def with_front(self, act: Callable[[Tab], object]) -> Callable[[], object]:
        """An action on the front tab, as one that takes no arguments."""

        def on_front() -> object:
            tab = self.tabs.current
            return act(tab) if tab is not None else None

        return on_front

    def has_tab(self) -> bool:
        """Whether a document is open."""
        return self.tabs.current is not None

    def has_file(self) -> bool:
        """Whether the front document is a file."""
        return self.tabs.current is not None and self.tabs.current.document.path is not None

    def has_pending(self) -> bool:
        """Whether a proposal waits in the front document that can be accepted."""
        return self.tabs.current is not None and self.tabs.current.controller.proposals.has_pending

    def has_proposals(self) -> bool:
        """Whether there is one, even if the text under it was edited."""
        return self.tabs.current is not None and len(self.tabs.current.controller.proposals) > 0

    def is_running(self) -> bool:
        """Whether something runs, in whichever document."""
        return self.feed.runs.can_stop

    def ask_line(self) -> None:
        """Asks for a line and goes there."""
        tab = self.tabs.current
        if tab is not None:
            line = self.asks.line(tab.line_and_column[0], tab.view.surface.lineCount())
            if line is not None:
                tab.view.go_to(line, 1)

    def show_diff(self) -> None:
        """Shows what accepting all proposals of the front document would change."""
        tab = self.tabs.current
        if tab is not None:
            title = tab.document.title
            DiffDialog(self, title, tab.controller.proposals.unified_diff(title), self.themes.current).show()

    def show_keys(self) -> None:
        """Shows which key does what."""
        show_page(self, "Keys", keys_text(self.actions_.shown_commands))

    def show_about(self) -> None:
        """Says what this is."""
        show_page(self, "About Redraft", about_text())

    def tell(self, sentence: str) -> None:
        """Shows a sentence that must be read."""
        self.notices.tell(sentence)

    # Qt's events

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.filing.may_close_all():
            event.ignore()
            return
        shape.remember(self)
        self.hide()  # the engine may need a moment to end
        self.saver.save()
        for tab in self.tabs.all:
            self.tabs.take(tab)
        self.engine.close_down()
        self.feed.close_down()
        self.estimate.close_down()
        self.history.close_down()
        self.finding.close_down()
        self.bridge.close()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.drops.open_from(event.mimeData())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.look_at_disk()
            self.history.refresh()  # another window may have added to it

    # parts

    def _lay_out(self) -> None:
        center = QWidget()
        column = QVBoxLayout(center)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.finding.bar)
        self.setCentralWidget(center)
        self.setStatusBar(self.status)

    def _hint(self) -> str:
        open_key, new_key = (self.actions_.commands[name].key_text for name in ("file.open", "file.new"))
        return f"Open a file with {open_key} or drop one here.\nBegin a new one with {new_key}."

    def _connect(self) -> None:
        self.tabs.current_tab_changed.connect(self._on_tab)
        self.tabs.current_tab_changed.connect(self.look_at_disk)
        self.tabs.close_asked.connect(self.filing.close)
        self.filing.said.connect(self.status.show_message)
        self.finding.said.connect(self.status.show_message)
        self.finding.changed.connect(self.actions_.refresh)
        self.filing.failed.connect(self._on_failed)
        self.panel.refused.connect(self.status.show_message)
        self.history.said.connect(self.status.show_message)
        self.history.failed.connect(self.notices.tell)
        self.panel.folder_asked.connect(self._choose_model_folder)
        self.themes.changed.connect(self._apply_theme)
        self.settings.changed.connect(self._on_setting)
        self.saver.failed.connect(self.notices.tell)
        self.bridge.model_state.connect(self._on_model)

    def _make_tab(self, document: Document) -> Tab:
        view = EditorView(document, self.settings, self.themes.current)
        controller = InfillController(view, self.bridge, self.settings)
        suggester = Suggester(view, controller, self.bridge, self.settings)
        doubt = DoubtMarks(view, controller, self.bridge, self.settings)
        tab = Tab(document, view, controller, suggester, doubt, DoubtPopup(view, doubt))
        self.finding.watch(tab)
        self.drops.watch(view)
        view.menu_requested.connect(self._show_menu)
        document.path_changed.connect(self._on_tab)
        document.modified_changed.connect(self._on_tab)
        tab.controller.state_changed.connect(self._on_tab)
        tab.controller.proposals.changed.connect(self.actions_.refresh)
        doubt.message.connect(self.status.show_message)
        doubt.changed.connect(self.actions_.refresh)
        self.feed.watch(tab)
        self.estimate.watch(tab)
        self.history.watch(tab)
        self.proposal.watch(tab)
        return tab

    def _on_tab(self, *_: object) -> None:
        tab = self.tabs.current
        self.setWindowTitle(f"{tab.document.title}[*] — Redraft" if tab is not None else "Redraft")
        self.setWindowModified(tab is not None and tab.document.is_modified)
        if tab is not None and tab.document.path is not None:
            self.setWindowFilePath(str(tab.document.path))
        self.actions_.refresh()

    def _show_menu(self, place: QPoint) -> None:
        menu = self.actions_.menu(*_TEXT_MENU)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def _on_failed(self, sentence: str, tab: Tab | None) -> None:
        if tab is None:
            self.notices.tell(sentence)
        else:
            self.notices.tell(sentence, "Save As…", lambda: self.filing.save_as(tab))

    def _on_model(self, event: object) -> None:
        if isinstance(event, ModelReady):
            self.panel.show_model(event.info)
        elif isinstance(event, Failed):
            self.notices.tell(event.message)

    def _choose_model_folder(self) -> None:
        folder = self.asks.model_folder()
        if folder is not None:
            reason = why_no_model(str(folder))
            if reason:
                self.notices.tell(reason)
            else:
                self.settings["engine.model"] = str(folder)

    def _on_setting(self, key: str, _value: object) -> None:
        if key.startswith("editor."):
            for tab in self.tabs.all:
                tab.view.apply_settings()

    def _apply_theme(self, theme: Theme) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            style.apply(app, theme)
        for tab in self.tabs.all:
            tab.view.apply_theme(theme)

    def look_at_disk(self, *_: object) -> None:
        """Offers to reload the front document when another program has written its file, to save it when one has
        deleted that."""
        tab = self.tabs.current
        if tab is None:
            return
        if tab.document.notice_loss():
            sentence = f"“{tab.document.title}” was deleted or moved by another program. Its text is only here now."
            self.notices.tell(sentence, "Save", lambda: self.filing.save(tab))
        elif self.filing.has_news(tab):
            sentence = f"“{tab.document.title}” was changed by another program."
            self.notices.tell(sentence, "Reload", lambda: self.filing.reload(tab))
