from django.core.exceptions import ValidationError
from django.forms import ModelForm


class WholeRowForm(ModelForm):
    """Checks the constraints of the whole row. Django leaves out those that touch a field the form does not have,
    such as a read-only one, and the database would refuse the row."""

    def validate_unique(self) -> None:
        super().validate_unique()
        if not self.errors:
            try:
                self.instance.validate_constraints()
            except ValidationError as error:
                self.add_error(None, error)
