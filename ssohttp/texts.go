package ssohttp

import (
	"errors"

	"github.com/ssoconn/sso"
)

// texts are the words of the pages, by language. Reports speak English alone.
var texts = map[string]map[string]string{
	"en": {
		"refused":    "You could not be signed in",
		"reference":  "If you ask for help, give this number:",
		"home":       "Back to the application",
		"moment":     "One moment",
		"continuing": "You are being signed in.",
		"continue":   "Continue",
		"passed":     "The test passed",
		"failed":     "The test found something to mend",
		"running":    "The test is running",
		"unknown":    "There is no such test",
		"close":      "You can close this tab and go back to the settings.",
		"outcome":    "At a sign-in:",
		"idp":        "The identity provider looks like",
		"all":        "All checks",
		"unsigned":   "Looked at, but covered by no signature:",
		"got":        "Got:",
		"want":       "Wanted:",
		"is_passed":  "Passed",
		"is_failed":  "Failed",
		"is_skipped": "Left out",
		"is_warning": "Warning",
	},
	"ru": {
		"refused":    "Войти не удалось",
		"reference":  "Если обратитесь за помощью, назовите этот номер:",
		"home":       "Вернуться в приложение",
		"moment":     "Одну минуту",
		"continuing": "Выполняется вход.",
		"continue":   "Продолжить",
		"passed":     "Проверка пройдена",
		"failed":     "Проверка нашла, что исправить",
		"running":    "Проверка идёт",
		"unknown":    "Такой проверки нет",
		"close":      "Эту вкладку можно закрыть и вернуться к настройкам.",
		"outcome":    "При входе:",
		"idp":        "Похоже, поставщик учётных записей —",
		"all":        "Все проверки",
		"unsigned":   "Просмотрено, но не подписано:",
		"got":        "Получено:",
		"want":       "Нужно:",
		"is_passed":  "Пройдено",
		"is_failed":  "Ошибка",
		"is_skipped": "Пропущено",
		"is_warning": "Внимание",
	},
}

// sentence is what the visitor reads. It says what they can do, and nothing of
// what was checked: that is for the operator.
func sentence(lang string, f *failure) string {
	i := 0
	if lang == "ru" {
		i = 1
	}
	var refused *sso.RefusedError
	if f.code == CodeNotAdmitted && errors.As(f.err, &refused) {
		if s, ok := admissionSentences[refused.Code]; ok {
			return s[i]
		}
		return [2]string{refused.Visitor(), "Вы вошли у поставщика учётных записей, но вашу учётную запись здесь определить не удалось. Обратитесь к администратору."}[i]
	}
	if s, ok := sentences[f.code]; ok {
		return s[i]
	}
	return wrongRequest[i]
}

var (
	wrongRequest = [2]string{
		"This request does not belong to a sign-in. Start again from the application.",
		"Этот запрос не относится ко входу. Начните вход заново из приложения."}
	tooLate = [2]string{
		"The sign-in took too long. Start again from the application.",
		"Вход занял слишком много времени. Начните заново из приложения."}
	notThisBrowser = [2]string{
		"Your browser did not bring the sign-in back. Start again from the application, in one and the same browser, with cookies allowed.",
		"Браузер не вернул данные начатого входа. Начните заново из приложения в одном и том же браузере и разрешите файлы cookie."}
	setUp = [2]string{
		"Single sign-on is not set up properly. Ask your administrator.",
		"Единый вход настроен неправильно. Обратитесь к администратору."}
	later = [2]string{
		"Sign-in is not available just now. Try again in a moment.",
		"Вход сейчас недоступен. Попробуйте ещё раз через минуту."}
)

var sentences = map[Code][2]string{
	CodeConnection: {"There is no single sign-on under this address. Check the link.",
		"По этому адресу нет единого входа. Проверьте ссылку."},
	CodeOff: {"Single sign-on is switched off here at the moment. Ask your administrator.",
		"Единый вход здесь сейчас выключен. Обратитесь к администратору."},
	CodeBackground: {"Open this address yourself: a sign-in cannot begin in the background.",
		"Откройте этот адрес сами: вход не может начаться в фоне."},
	CodeSlow:         later,
	CodeStateExpired: tooLate,
	CodeStateUsed: {"This sign-in was finished already. If you are not signed in, start again from the application.",
		"Этот вход уже завершён. Если вы не вошли, начните заново из приложения."},
	CodeNoCookie:     notThisBrowser,
	CodeOtherBrowser: notThisBrowser,
	CodeUnsolicited: {"Start the sign-in from the application, not from your identity provider's page.",
		"Начните вход из приложения, а не со страницы поставщика учётных записей."},
	CodeIdP: {"Your identity provider did not sign you in. Ask your administrator whether you have access to this application there.",
		"Поставщик учётных записей не выполнил вход. Узнайте у администратора, есть ли у вас там доступ к этому приложению."},
	CodeResponse: {"The answer of your identity provider was not accepted. Ask your administrator.",
		"Ответ поставщика учётных записей не принят. Обратитесь к администратору."},
	CodeInvitation: {"This invitation link is not complete. Open it again as you received it.",
		"Ссылка-приглашение неполная. Откройте её ещё раз так, как получили."},
	CodeAdministrator: {"Only an administrator may test single sign-on. Sign in as one first.",
		"Проверять единый вход может только администратор. Сначала войдите как администратор."},
	CodeBinding: setUp, CodeConfig: setUp,
	CodeSession: later, CodeStore: later, CodeBusy: later,
}

var (
	noAccess = [2]string{
		"You signed in, but your groups do not give you access. Ask your administrator.",
		"Вы вошли у поставщика учётных записей, но ваши группы не дают доступа. Обратитесь к администратору."}
	notForYou = [2]string{
		"This invitation is not for you. Ask your administrator for one.",
		"Это приглашение не для вас. Попросите у администратора своё."}
)

var admissionSentences = map[sso.RefusalCode][2]string{
	sso.RefusedNoUser: {"You signed in, but you have no account here yet. Ask your administrator for an invitation link.",
		"Вы вошли у поставщика учётных записей, но здесь у вас ещё нет учётной записи. Попросите у администратора ссылку-приглашение."},
	sso.RefusedDisabled: {"Your account here is disabled. Ask your administrator.",
		"Ваша учётная запись здесь отключена. Обратитесь к администратору."},
	sso.RefusedGroups: noAccess, sso.RefusedGroupsMissing: noAccess, sso.RefusedGroupsEmpty: noAccess, sso.RefusedGroupsOverage: noAccess,
	sso.RefusedGroupsDelimited: noAccess,
	sso.RefusedInvitation:      notForYou, sso.RefusedInvitationEmail: notForYou,
	sso.RefusedInvitationSpent: {"This invitation was used already or has expired. Ask for a new one.",
		"Это приглашение уже использовано или истекло. Попросите новое."},
}
